"""Fields that change neither a parameter count nor a cache, by the reason why."""

import fnmatch

_HARMLESS = {
    "tokens": """
        *_token_id *_token_ids *_token_index *_token_indices ignore_index
        tokenizer_class tokenizer_* chat_template *_token_type_ids
    """,
    "training, initialisation": """
        initializer_range initializer_factor init_std *_dropout *_pdrop
        classifier_dropout dropout aux_loss_alpha seq_aux router_aux_loss_coef
        router_jitter_noise router_z_loss_coef output_router_logits pretraining_tp
        ep_size gradient_checkpointing pruned_layers
    """,
    "scaling, has no weights": """
        rms_norm_eps layer_norm_eps layer_norm_epsilon norm_eps query_pre_attn_scalar
        final_logit_softcapping attn_logit_softcapping swiglu_limit swiglu_alpha
        floor_scale attn_scale attn_temperature_tuning layernorm_*_beta
        layernorm_*_alpha norm_type scale_attn_weights
    """,
    "positions, have no weights": """
        rope_* use_mrope rotary_* partial_rotary_factor max_position_embeddings model_max_length
        original_max_position_embeddings initial_context_length max_sequence_length
        seq_length max_seq_len max_model_len llama_4_scaling_beta
    """,
    "routing, has no weights": """
        routed_scaling_factor n_group topk_group norm_topk_prob scoring_func
        num_expert_group use_grouped_topk moe_renormalize moe_router_activation_func
        shared_moe_mode router_scoring_func
    """,
    "text generation": """
        bad_words_ids begin_suppress_tokens diversity_penalty do_sample early_stopping
        encoder_no_repeat_ngram_size exponential_decay_length_penalty generation_config
        length_penalty max_length max_new_tokens min_length min_new_tokens
        no_repeat_ngram_size num_beam_groups num_beams num_logits_to_keep
        num_return_sequences output_attentions output_hidden_states output_scores prefix
        remove_invalid_values repetition_penalty return_dict return_dict_in_generate
        suppress_tokens temperature tf_legacy_loss top_k top_p min_p typical_p
    """,
    "running program": """
        _* auto_map attn_implementation cache_implementation chunk_size_feed_forward
        experts_implementation for_llm_compressor fused_qkv is_decoder name_or_path
        sliding_window_size torchscript transformers_version unsloth_* use_cache
        use_flash_attn use_flash_attention use_cache_quantization use_kernel*
        use_return_dict transformers.js_config
    """,
    "classification head": """
        finetuning_task id2label label2id num_labels problem_type task_specific_params
        summary_*
    """,
    "number format": """
        quantization_config quantization compression_config dtype torch_dtype
        use_bfloat16 expert_dtype kv_cache_dtype bf16 fp16 fp32
    """,
    "origin of the file": """
        license base_model author model_name version
    """,
    "not modelled: multi-token-prediction heads are not counted": """
        num_nextn_predict_layers use_mtp num_mtp_modules mtp_* num_mtp_layers
    """,
}

_MULTIMODAL = """
    vision_* image_* video_* audio_* speech_* mm_* boi_* eoi_* boa_* eoa_* media_*
    projector_* multimodal_* spatial_merge_size use_unified_vision_chunk pixel_*
    multi_modal_* language_model_only vit_* use_image_* use_video_* sub_configs
"""

ENDLESS = ("time_step_limit", "mamba_dt_limit")
"""Harmless fields whose upper limit published files write as Infinity."""


def harmless_reason(name: str) -> str | None:
    """Why a field of a text model can be ignored; none where it cannot.

    Examples:
        >>> harmless_reason("eos_token_id")
        'tokens'
    """
    return next(
        (reason for reason, patterns in _HARMLESS.items() if _matches(name, patterns)), None
    )


def multimodal_reason(name: str) -> str | None:
    """Why a field at the top of a multimodal config can be ignored; none where it cannot."""
    if _matches(name, _MULTIMODAL):
        return "not modelled: beside the text model"
    return None


def _matches(name: str, patterns: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split())
