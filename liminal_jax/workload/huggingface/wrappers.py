"""Multimodal configs whose text model is one of the families, as it stands.

Each config class of Hugging Face transformers, or of a checkpoint's own code, is named with the
text models that its published checkpoints hold; the first is meant where text fields stand beside
the others. Where none is named, the text model is of any family that its own config says.
"""

from liminal_jax.workload.reading.family import Wrapper

_ANY = {
    "aya_vision": "AyaVisionForConditionalGeneration",
    "cohere2_vision": "Cohere2VisionForConditionalGeneration",
    "fast_vlm": "FastVlmForConditionalGeneration",
    "glmasr": "GlmAsrForConditionalGeneration",
    "got_ocr2": "GotOcr2ForConditionalGeneration",
    "granite_speech": "GraniteSpeechForConditionalGeneration",
    "idefics3": "Idefics3ForConditionalGeneration",
    "internvl": "InternVLForConditionalGeneration",
    "internvl_chat": "InternVLChatModel",
    "multi_modality": "MultiModalityCausalLM",
    "lighton_ocr": "LightOnOcrForConditionalGeneration",
    "llava": "LlavaForConditionalGeneration",
    "llava_next": "LlavaNextForConditionalGeneration",
    "llava_next_video": "LlavaNextVideoForConditionalGeneration",
    "llava_onevision": "LlavaOnevisionForConditionalGeneration",
    "nemotronh_nano_vl_v2": "NemotronH_Nano_VL_V2",
    "paligemma": "PaliGemmaForConditionalGeneration",
    "perception_lm": "PerceptionLMForConditionalGeneration",
    "qwen2_audio": "Qwen2AudioForConditionalGeneration",
    "smolvlm": "SmolVLMForConditionalGeneration",
    "ultravox": "UltravoxModel",
    "video_llava": "VideoLlavaForConditionalGeneration",
    "vipllava": "VipLlavaForConditionalGeneration",
    "voxtral": "VoxtralForConditionalGeneration",
}

WRAPPERS = {
    **{name: Wrapper(architecture) for name, architecture in _ANY.items()},
    "gemma3": Wrapper("Gemma3ForConditionalGeneration", ("gemma3_text",)),
    "glm4v": Wrapper("Glm4vForConditionalGeneration", ("glm4v_text",)),
    "glm4v_moe": Wrapper("Glm4vMoeForConditionalGeneration", ("glm4v_moe_text",)),
    "kimi_k25": Wrapper("KimiK25ForConditionalGeneration", ("kimi_k2", "deepseek_v3")),
    "kimi_vl": Wrapper("KimiVLForConditionalGeneration", ("deepseek_v3",)),
    "llama4": Wrapper("Llama4ForConditionalGeneration", ("llama4_text",)),
    "mistral3": Wrapper("Mistral3ForConditionalGeneration", ("mistral", "ministral3")),
    "qwen2_5_omni": Wrapper(
        "Qwen2_5OmniForConditionalGeneration", ("qwen2_5_omni_text",), also=("Qwen2_5OmniModel",)
    ),
    "qwen3_omni_moe": Wrapper("Qwen3OmniMoeForConditionalGeneration", ("qwen3_omni_moe_text",)),
    "qwen2_vl": Wrapper("Qwen2VLForConditionalGeneration", ("qwen2_vl_text", "qwen2")),
    "qwen2_5_vl": Wrapper("Qwen2_5_VLForConditionalGeneration", ("qwen2_5_vl_text", "qwen2")),
    "qwen3_vl": Wrapper("Qwen3VLForConditionalGeneration", ("qwen3_vl_text", "qwen3")),
    "qwen3_vl_moe": Wrapper(
        "Qwen3VLMoeForConditionalGeneration", ("qwen3_vl_moe_text", "qwen3_moe")
    ),
}
