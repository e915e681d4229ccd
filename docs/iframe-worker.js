// Browsers start no worker for a page that is opened from disk: there its script runs in a frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise(done => {
        frame.addEventListener("load", () => {
          const inside = frame.contentWindow, script = frame.contentDocument.createElement("script");
          inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }));
          script.addEventListener("load", () => done(inside));
          script.src = address;
          frame.contentDocument.head.append(script);
        }, { once: true });
      });
      frame.srcdoc = "<title>search</title>";
      const place = () => document.body.append(frame);
      if (document.body) place(); else addEventListener("DOMContentLoaded", place);
    }

    postMessage(data) {
      this.ready.then(inside => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
