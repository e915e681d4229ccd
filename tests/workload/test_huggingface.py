import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liminal_jax._files import InputError
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import Use, read_config
from liminal_jax.workload.mixer.grouped_query import GroupedQueryAttention
from tests.workload.configs import (
    DEEPSEEK_V2,
    GEMMA_2_9B,
    GLM_4_5_AIR,
    LLAMA_2_7B,
    MISTRAL_7B,
    MISTRAL_SMALL,
    PUBLISHED,
    QWEN2_7B,
    QWEN2_57B_A14B,
    QWEN3_0_6B,
    REFERENCE,
    mistakes,
    written,
)
from tests.workload.fuzz import assert_read_or_refused
from tests.workload.test_families import FAMILIES

LLAMA_4 = {
    "model_type": "llama4_text",
    "hidden_size": 64,
    "intermediate_size": 32,
    "intermediate_size_mlp": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_local_experts": 4,
    "num_experts_per_tok": 1,
    "attention_chunk_size": 128,
    "vocab_size": 1000,
}
GPT_OSS = {
    "model_type": "gpt_oss",
    "hidden_size": 64,
    "intermediate_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "sliding_window": 8,
    "vocab_size": 1000,
}
MINIMAX_M2 = {
    **{key: GPT_OSS[key] for key in GPT_OSS if key not in ("model_type", "sliding_window")},
    "model_type": "minimax_m2",
    "attn_type_list": [1, 1, 1, 1],
}
GLM_LITE = {
    **{key: DEEPSEEK_V2[key] for key in DEEPSEEK_V2 if key not in ("architectures", "topk_method")},
    "model_type": "glm4_moe_lite",
    "num_hidden_layers": 3,
}
LIKE_IT = "; import a config like it with `liminal models import --save NAME`, and edit that file"
"""What is said where no family is near."""

TOYS = [
    LLAMA_2_7B,
    MISTRAL_7B,
    MISTRAL_SMALL,
    QWEN2_7B,
    QWEN3_0_6B,
    QWEN2_57B_A14B,
    GEMMA_2_9B,
    DEEPSEEK_V2,
    GLM_4_5_AIR,
    GLM_LITE,
    LLAMA_4,
    GPT_OSS,
    MINIMAX_M2,
]


def references():
    file = REFERENCE / "_counts.json"
    return json.loads(file.read_text()) if file.is_file() else []


@pytest.mark.skipif(not references(), reason="the reference configs are not here")
def test_reference_configs_are_counted_exactly():
    assert len(references()) == 37
    for row in references():
        spec, _ = read_config(REFERENCE / f"{row['name']}.json")
        tally = counts(spec)._asdict()
        assert len(tally) == 11
        assert tally == {key: row[key] for key in tally}, row["name"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals(tmp_path, name):
    config, total = PUBLISHED[name]
    assert counts(read_config(written(tmp_path, config))[0]).total == total


def test_the_name_comes_from_the_file_or_its_folder(tmp_path):
    folder = tmp_path / "Llama-2-7B_hf"
    folder.mkdir()
    written(folder, LLAMA_2_7B)
    assert read_config(folder)[0].name == "llama-2-7b-hf"
    other = written(tmp_path, LLAMA_2_7B, "meta-llama__Llama-2.json")
    assert read_config(other)[0].name == "llama-2"


def test_every_field_has_one_row(tmp_path):
    config = {**LLAMA_2_7B, "eos_token_id": 2, "rope_scaling": None, "mlp_bias": False}
    _, report = read_config(written(tmp_path, config))
    fields = [row.field for row in report.rows]
    assert sorted(fields) == sorted(set(fields))
    assert set(config) <= set(fields)
    ignored = {row.field: row.note for row in report.having(Use.IGNORED)}
    assert ignored["eos_token_id"] == "tokens"
    assert ignored["rope_scaling"] == "unset"
    defaults = {row.field: row.value for row in report.having(Use.DEFAULT)}
    assert defaults["num_key_value_heads"] == 32
    assert defaults["head_dim"] == 128
    assert defaults["tie_word_embeddings"] is False


@pytest.mark.parametrize(
    ("name", "value", "stated"),
    [
        ("max_position_embeddings", 4096, 4096),
        ("seq_length", 8192, 8192),
        ("max_position_embeddings", None, 0),
        ("max_position_embeddings", "4096", 0),
    ],
)
def test_the_context_that_a_config_states_is_read(tmp_path, name, value, stated):
    config = {it: LLAMA_2_7B[it] for it in LLAMA_2_7B if it != "max_position_embeddings"}
    spec, report = read_config(written(tmp_path, {**config, name: value}))
    assert spec.stated_context == stated
    read = {row.field: row.note for row in report.having(Use.READ)}
    assert (name in read) == (stated > 0)


def scopes(folder, config) -> list[tuple[int, str, int | None]]:
    spec, _ = read_config(written(folder, config))
    found = []
    for group in spec.layers:
        assert isinstance(group.attention, GroupedQueryAttention)
        found.append((group.count, group.attention.scope, group.attention.window))
    return found


def test_windows_of_the_dense_families(tmp_path):
    assert scopes(tmp_path, MISTRAL_7B) == [(32, "sliding", 4096)]
    assert scopes(tmp_path, {**MISTRAL_7B, "sliding_window": None}) == [(32, "full", None)]
    assert scopes(tmp_path, GEMMA_2_9B) == [(21, "sliding", 4096), (21, "full", None)]
    sliding = {**QWEN2_7B, "use_sliding_window": True, "max_window_layers": 20}
    assert scopes(tmp_path, sliding) == [(20, "full", None), (8, "sliding", 131072)]
    listed = {**QWEN2_7B, "layer_types": ["full_attention"] * 27 + ["sliding_attention"]}
    assert scopes(tmp_path, listed) == [(27, "full", None), (1, "sliding", 131072)]


def test_llama_4_layers_by_interval_and_by_list(tmp_path):
    assert scopes(tmp_path, LLAMA_4) == [(3, "chunked", 128), (1, "full", None)]
    listed = {**LLAMA_4, "no_rope_layers": [0, 1, 1, 0], "moe_layers": [0]}
    spec, _ = read_config(written(tmp_path, listed))
    kinds = [(g.count, g.attention.scope, g.feedforward.kind) for g in spec.layers]
    assert kinds == [(1, "full", "mixture"), (2, "chunked", "dense"), (1, "full", "dense")]


def test_dense_layers_among_mixtures(tmp_path):
    config = {**QWEN2_57B_A14B, "decoder_sparse_step": 2, "mlp_only_layers": [1]}
    spec, _ = read_config(written(tmp_path, config))
    assert [(g.count, g.feedforward.kind) for g in spec.layers] == [(15, "dense"), (13, "mixture")]
    listed = {**DEEPSEEK_V2, "moe_layer_freq": [0] * 50 + [1] * 10}
    spec, _ = read_config(written(tmp_path, listed))
    assert [(g.count, g.feedforward.kind) for g in spec.layers] == [(50, "dense"), (10, "mixture")]


def test_minimax_m2_under_its_first_name(tmp_path):
    first = {**MINIMAX_M2, "model_type": "minimax", "architectures": ["MiniMaxM2ForCausalLM"]}
    spec, report = read_config(written(tmp_path, first))
    assert report.family == "minimax_m2"
    assert spec.layers[0].count == 4
    assert "attn_type_list: holds 0" in mistakes(
        tmp_path, {**MINIMAX_M2, "attn_type_list": [1, 0, 0, 1]}
    )


@pytest.mark.parametrize(
    ("model_type", "suggestion"),
    [
        ("lama", "; did you mean 'llama'?"),
        ("qwen3_nxt", "; did you mean 'qwen3_next'?"),
        ("voxtrall", "; did you mean 'voxtral'?"),
        ("Qwen3-MoE", "; did you mean 'qwen3_moe'?"),
        ("qwen5", LIKE_IT),
        ("olmo", LIKE_IT),
        ("deepseek_vx_v2", LIKE_IT),
        ("rwkv6", LIKE_IT),
        ("evolla", LIKE_IT),
        ("jambalaya", LIKE_IT),
    ],
)
def test_a_refusal_has_two_lines_and_the_nearest_family_where_it_is_near(
    tmp_path, model_type, suggestion
):
    config = {**LLAMA_2_7B, "model_type": model_type, "mamba_d_state": 16, "altup_number": 2}
    text = mistakes(tmp_path, {**config, "architectures": ["NobodysForCausalLM"]})
    assert text == (
        f"model_type: architecture 'NobodysForCausalLM' (model_type '{model_type}')"
        f" is not modelled{suggestion}\n"
        "model_type: it announces state-space layers (mamba_d_state);"
        " alternating updates (altup_number)"
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("neftune_noise_alpha", 5, "training, initialisation"),
        ("internal_version", "7b-alpha", "origin of the file"),
        ("num_image_slots", 4, "beside the text model"),
        ("weight_quant_bits", 4, "number format"),
        ("longest_prompt_token", 7, "tokens"),
        ("is_something_else", True, "no size and no part of a model"),
        ("hidden_state_dims", 0, "none of these"),
    ],
)
def test_a_field_that_cannot_change_a_count_is_ignored_by_rule(tmp_path, name, value, reason):
    spec, report = read_config(written(tmp_path, {**LLAMA_2_7B, name: value}))
    assert counts(spec).total == 6_738_415_616
    notes = {row.field: row.note for row in report.having(Use.IGNORED)}
    assert notes[name] == f"by rule: {reason}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_memory_layers", 3),
        ("latent_rank", 8),
        ("expert_width", 64),
        ("attention_window", 512),
        ("q_heads_per_group", 2),
        ("gated_output", True),
        ("mixer_kinds", ["a", "b"]),
        ("gate_type", "swish"),
        ("no_norm", False),
        ("mystery", [1, 2]),
        ("atention_bias", True),
    ],
)
def test_a_field_that_can_change_a_count_is_refused_by_name(tmp_path, name, value):
    text = mistakes(tmp_path, {**LLAMA_2_7B, name: value})
    assert f"{name}: unknown field of model_type 'llama' that may change a count" in text


def test_fields_under_other_names(tmp_path):
    other = {
        "d_model": "hidden_size",
        "n_layer": "num_hidden_layers",
        "n_heads": "num_attention_heads",
    }
    config = {**LLAMA_2_7B, **{alias: LLAMA_2_7B[name] for alias, name in other.items()}}
    renamed = {name: value for name, value in config.items() if name not in other.values()}
    for form in (config, renamed):
        spec, report = read_config(written(tmp_path, form))
        assert counts(spec).total == 6_738_415_616
        assert {row.field for row in report.having(Use.READ)} >= set(other)
    text = mistakes(tmp_path, {**config, "d_model": 4095})
    assert text == "d_model: contradicts hidden_size, which is 4096"
    assert mistakes(tmp_path, {**renamed, "n_heads": "x"}) == (
        'n_heads: must be a whole number, got "x"'
    )


def test_text_fields_beside_those_of_a_tower(tmp_path):
    flat = {**QWEN2_7B, "model_type": "qwen2_5_vl", "vision_config": {"hidden_size": 1280}}
    spec, report = read_config(written(tmp_path, flat))
    assert report.family == "qwen2_5_vl_text"
    assert counts(spec) == counts(read_config(written(tmp_path, QWEN2_7B))[0])
    inside = {**flat, "text_config": QWEN2_7B}
    assert counts(read_config(written(tmp_path, inside))[0]) == counts(spec)
    text = mistakes(tmp_path, {**inside, "num_hidden_layers": 27})
    assert text == "num_hidden_layers: contradicts text_config.num_hidden_layers, which is 28"
    empty = {"model_type": "qwen2_5_vl", "vision_config": {}}
    assert "text_config: is required by model_type 'qwen2_5_vl'" in mistakes(tmp_path, empty)


@pytest.mark.parametrize("wrapper", ["voxtral", "llava", "internvl"])
def test_a_wrapper_holds_any_family(tmp_path, wrapper):
    config = {"model_type": wrapper, "text_config": LLAMA_2_7B, "projector_hidden_act": "gelu"}
    spec, report = read_config(written(tmp_path, config))
    assert report.family == "llama"
    assert counts(spec).total == 6_738_415_616


def test_an_unknown_model_type_is_read_by_its_architecture(tmp_path):
    spec, report = read_config(written(tmp_path, {**LLAMA_2_7B, "model_type": "llama_reference"}))
    assert report.family == "llama"
    assert counts(spec).total == 6_738_415_616


def test_a_known_model_type_with_another_architecture_is_refused(tmp_path):
    config = {
        **DEEPSEEK_V2,
        "model_type": "deepseek_v3",
        "architectures": ["DeepseekV32ForCausalLM"],
    }
    assert "architecture 'DeepseekV32ForCausalLM' (model_type 'deepseek_v3') is not" in mistakes(
        tmp_path, config
    )


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (LLAMA_2_7B, {"hidden_size": "4096"}, 'hidden_size: must be a whole number, got "4096"'),
        (LLAMA_2_7B, {"hidden_size": 4096.0}, "hidden_size: must be a whole number, got 4096.0"),
        (LLAMA_2_7B, {"hidden_size": True}, "hidden_size: must be a whole number, got true"),
        (LLAMA_2_7B, {"hidden_size": None}, "hidden_size: is required, got null"),
        (LLAMA_2_7B, {"vocab_size": -1}, "vocab_size: must be greater than 0, got -1"),
        (LLAMA_2_7B, {"num_hidden_layers": 0}, "num_hidden_layers: must be greater than 0, got 0"),
        (LLAMA_2_7B, {"num_hidden_layers": 10**9}, "num_hidden_layers: must be at most 10000"),
        (LLAMA_2_7B, {"num_key_value_heads": 5}, "5 must divide num_attention_heads (32)"),
        (LLAMA_2_7B, {"num_attention_heads": 30}, "head_dim: is required"),
        (LLAMA_2_7B, {"attention_bias": 1}, "attention_bias: must be true or false, got 1"),
        (LLAMA_2_7B, {"hidden_act": "relu2"}, "hidden_act: 'relu2' is not modelled here"),
        (LLAMA_2_7B, {"layer_types": ["full_attention"]}, "one entry for each of 32 layers, got 1"),
        (LLAMA_2_7B, {"layer_types": 3}, "layer_types: must be a list, got 3"),
        (LLAMA_2_7B, {"attn_output_gate": True}, "attn_output_gate: not modelled"),
        (LLAMA_2_7B, {"index_topk": 2048}, "sparse attention by an index"),
        (LLAMA_2_7B, {"mystery": 1}, "mystery: unknown field of model_type 'llama' that may"),
        (LLAMA_2_7B, {"num_key_value_head": 8}, "did you mean 'num_key_value_heads'?"),
        (LLAMA_2_7B, {"tie_word_embeddings": "no"}, "tie_word_embeddings: must be true or false"),
        (LLAMA_2_7B, {"architectures": "x"}, "architectures: must be a list of names"),
        (LLAMA_2_7B, {"model_type": 3}, "model_type: must be text, got 3"),
        (LLAMA_2_7B, {"model_type": None, "architectures": None}, "model_type: is required"),
        (QWEN2_7B, {"layer_types": ["linear_attention"] * 28}, 'holds "linear_attention"'),
        (GEMMA_2_9B, {"sliding_window": None}, "sliding_window: is required, got null"),
        (LLAMA_4, {"attention_chunk_size": None}, "attention_chunk_size: is required"),
        (LLAMA_4, {"moe_layers": [0, 4]}, "moe_layers.1: must be a layer from 0 to 3, got 4"),
        (GPT_OSS, {"num_experts_per_tok": 5}, "5 must not exceed num_local_experts (4)"),
        (GPT_OSS, {"experts_per_token": 3}, "experts_per_token: contradicts num_experts_per_tok"),
        (DEEPSEEK_V2, {"first_k_dense_replace": 61}, "61 exceeds num_hidden_layers (60)"),
        (DEEPSEEK_V2, {"topk_method": "noaux_tc"}, "topk_method: 'noaux_tc' is not modelled here"),
        (DEEPSEEK_V2, {"moe_layer_freq": [1, 2]}, "moe_layer_freq: holds 2"),
        (QWEN3_0_6B, {"use_qk_norm": False}, "use_qk_norm: false is not modelled here"),
        (MISTRAL_SMALL, {"text_config": 1}, "text_config: must be an object, got 1"),
    ],
)
def test_one_mistake(tmp_path, config, change, message):
    assert message in mistakes(tmp_path, {**config, **change})


@pytest.mark.parametrize("field", ["hidden_size", "num_hidden_layers", "vocab_size"])
def test_a_missing_field_is_named_with_its_path(tmp_path, field):
    text = {key: value for key, value in LLAMA_4.items() if key != field}
    assert mistakes(tmp_path, {"model_type": "llama4", "text_config": text}) == (
        f"text_config.{field}: is required"
    )


def test_what_a_text_config_leaves_out_is_as_its_class_has_it(tmp_path):
    """LLaVA-1.5 7B as it is published: the text model of Vicuna, with 64 tokens more."""
    text = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32064}
    llava = {"model_type": "llava", "text_config": text, "vision_config": {"hidden_size": 1024}}
    spec, report = read_config(written(tmp_path, llava))
    assert counts(spec).total == 6_738_415_616 + 2 * 64 * 4096
    defaulted = {row.field for row in report.having(Use.DEFAULT)}
    assert {f"text_config.{it}" for it in ("hidden_size", "num_hidden_layers")} <= defaulted
    assert "text_config.hidden_size = 4096" in report.defaults()


def test_a_text_config_may_have_an_architecture_that_only_its_wrapper_knows(tmp_path):
    text = {**LLAMA_2_7B, "architectures": ["VLlama3ForCausalLM"]}
    spec, _ = read_config(written(tmp_path, {"model_type": "idefics3", "text_config": text}))
    assert counts(spec).total == 6_738_415_616
    text["architectures"] = ["Qwen2ForCausalLM"]
    refused = mistakes(tmp_path, {"model_type": "idefics3", "text_config": text})
    assert "text_config.model_type: architecture 'Qwen2ForCausalLM'" in refused


def test_all_mistakes_are_told_at_once(tmp_path):
    config = {**LLAMA_2_7B, "hidden_size": -1, "vocab_size": "x", "odd": 1, "mlp_bias": 2}
    assert len(mistakes(tmp_path, config).splitlines()) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not valid JSON"),
        ('{"model_type": "llama"', "is not valid JSON"),
        ("[1]", "must be a JSON object, got [1]"),
        ('{"a": {"b": [1, Infinity]}}', "a.b.1: must be a finite number"),
        ('{"a": NaN}', "a: must be a finite number"),
        ('{"a": ' + "9" * 5000 + "}", "is not valid JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"a": ' + "[" * 700 + "]" * 700 + "}", "model_type: is required"),
    ],
)
def test_what_is_not_a_config(tmp_path, text, message):
    assert message in mistakes(tmp_path, text)


def test_what_is_not_a_file(tmp_path):
    with pytest.raises(InputError, match=r"without a config\.json"):
        read_config(tmp_path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_config(tmp_path / "absent.json")
    (tmp_path / "config.json").write_bytes(b"\xfd{}")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_config(tmp_path)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_spoilt_config_is_read_or_refused(data):
    extra = ["layer_types", "moe_layers", "no_rope_layers", "mlp_layer_types", "attention_bias"]
    assert_read_or_refused(data, TOYS, extra)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weight_map": {}}, "is the index of a checkpoint's weights: give config.json"),
        ({"peft_type": "LORA", "r": 16}, "give that of the model it adapts"),
        ({"tokenizer_class": "X", "model_max_length": 8192}, "is the config of a tokenizer"),
        ({"dim": 4096, "n_layers": 32, "norm_eps": 1e-5}, "is params.json of the model's own"),
        ({"producer": {}, "quantization": {}}, "is hf_quant_config.json of modelopt"),
        ({"request_throughput": 1.0}, "give it to `liminal validate`"),
        ({"transformers_version": "5", "eos_token_id": 2}, "is generation_config.json"),
        ('{"model_type": "llama", "hidden_size": 40', "it ends in the middle, so fetch it again"),
        ('{"model_type": "llama",}', "mend it there"),
        ("\ufeff{}", "model_type: is required"),
        ("GGUF\0", "is a model's weights (GGUF): give a config.json"),
    ],
)
def test_other_files_are_called_by_their_name(tmp_path, content, message):
    path = tmp_path / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_config(path)
    (line,) = caught.value.lines()
    assert message in line


def test_a_field_that_is_read_twice_has_one_row(tmp_path):
    _, report = read_config(written(tmp_path, FAMILIES["starcoder"]["config"]))
    fields = [row.field for row in report.rows]
    assert len(fields) == len(set(fields))


def test_a_wrapper_that_is_not_known_may_hold_a_text_model_that_is(tmp_path):
    config = {"model_type": "new_vl", "text_config": {**LLAMA_2_7B}}
    assert mistakes(tmp_path, config).endswith(
        "text_config is of 'llama', which is: save that object as a file of its own"
    )
