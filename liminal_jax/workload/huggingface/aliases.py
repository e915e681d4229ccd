"""Other names of fields that readers ask for: what older and other implementations write."""

_SAME = {
    "hidden_size": "d_model n_embd n_embed model_dim",
    "num_hidden_layers": "n_layer n_layers num_layers",
    "num_attention_heads": "n_head n_heads num_heads",
    "num_key_value_heads": """
        n_kv_heads n_kv_head num_kv_heads n_head_kv num_query_groups num_attention_groups
    """,
    "head_dim": "head_size attention_head_size kv_channels d_head",
    "intermediate_size": "ffn_hidden_size d_ff n_inner ffn_dim",
    "vocab_size": "n_vocab padded_vocab_size",
    "num_experts_per_tok": "num_experts_per_token n_experts_per_tok moe_top_k moe_topk moe_k",
    "num_experts": "n_experts moe_num_experts num_moe_experts num_routed_experts",
    "tie_word_embeddings": "tie_embedding tie_embeddings",
    "n_shared_experts": "num_shared_experts num_shared_expert moe_num_shared_experts",
    "moe_intermediate_size": """
        moe_ffn_hidden_size expert_ffn_hidden_size expert_intermediate_size moe_ffn_dim
    """,
}

ALIASES = {alias: name for name, aliases in _SAME.items() for alias in aliases.split()}
"""From another name to the one that readers ask for."""
