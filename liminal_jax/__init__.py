"""LLM decode on hardware that may not exist yet: differentiable, vectorised, searchable.

    import liminal_jax as ll

    model = ll.load_model("llama-3-70b")
    system = ll.load_system("h200")
    design = ll.Design(system, ll.Mapping(tp=8), batch=32)
    prediction = ll.predict(design, model, ll.Request(context=8192))

The public names stand in the stub beside this file, which is the one list of them; each is
imported when it is first used, so that the command line can answer without loading JAX.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
