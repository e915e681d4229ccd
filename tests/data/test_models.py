from pathlib import Path

import pytest

from liminal_jax._files import InputError
from liminal_jax.data.models import load_model_spec, model_names, spec_to_toml
from liminal_jax.workload.counts import counts
from liminal_jax.workload.huggingface import read_config
from tests.workload.configs import LLAMA_2_7B, REFERENCE, written

CASES = Path(__file__).parents[1] / "workload" / "cases"

FULL_ATTENTION = {"llama-3-405b", "deepseek-v3", "gpt-3-175b", "llama-4-maverick"}
HYBRIDS = {
    "qwen3.5-27b",
    "qwen3.5-35b-a3b",
    "qwen3.5-397b-a17b",
    "kimi-linear-48b-a3b",
    "nemotron-3-nano-30b-a3b",
    "nemotron-3-ultra-550b-a55b",
}
SPARSE = {"minimax-m3", "deepseek-v3.2", "deepseek-v4-pro", "glm-5.2"}


def test_names():
    assert len(model_names()) >= 35
    assert set(model_names()) >= FULL_ATTENTION | HYBRIDS | SPARSE


@pytest.mark.parametrize("name", sorted(HYBRIDS))
def test_hybrids_keep_a_state_and_few_caches(name):
    tally = counts(load_model_spec(name))
    assert tally.state_elements_per_sequence > 0
    assert tally.kv_elements_per_token_growing > 0


@pytest.mark.parametrize("name", sorted(SPARSE))
def test_sparse_models_keep_an_index_and_the_whole_context(name):
    tally = counts(load_model_spec(name))
    assert tally.index_key_elements_per_token > 0
    assert tally.kv_elements_per_token_growing > 0


@pytest.mark.parametrize("name", model_names())
def test_a_bundled_model_is_its_config(name):
    spec = load_model_spec(name)
    assert spec.name == name
    if name == "gpt-3-175b":
        return
    file = REFERENCE / f"{spec.source.removeprefix('config.json of ').replace('/', '__')}.json"
    if not file.is_file():
        pytest.skip("the reference configs are not here")
    read, _ = read_config(file)
    assert spec == read.model_copy(update={"name": name, "source": spec.source})


PUBLISHED = {
    "chatglm3-6b": 6_243_584_000,
    "codellama-13b": 13_016_028_160,
    "codellama-34b": 33_743_970_304,
    "codellama-7b": 6_738_546_688,
    "deepseek-v2": 235_741_434_880,
    "deepseek-v2-lite": 15_706_484_224,
    "falcon-40b": 41_835_970_560,
    "falcon-7b": 7_217_189_760,
    "gemma-2-27b": 27_227_128_320,
    "gemma-2-2b": 2_614_341_888,
    "gemma-2-9b": 9_241_705_984,
    "gemma-2b": 2_506_172_416,
    "gemma-7b": 8_537_680_896,
    "internlm2-20b": 19_861_149_696,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-2-7b": 6_738_415_616,
    "llama-3.2-1b": 1_235_814_400,
    "llama-3.2-3b": 3_212_749_824,
    "mistral-7b": 7_241_732_096,
    "mistral-7b-v0.1": 7_241_732_096,
    "mistral-7b-v0.3": 7_248_023_552,
    "mistral-large-2": 122_610_069_504,
    "mistral-nemo-12b": 12_247_782_400,
    "mixtral-8x22b": 140_620_634_112,
    "phi-4": 14_659_507_200,
    "phi-4-mini": 3_836_021_760,
    "qwen2.5-0.5b": 494_032_768,
    "qwen2.5-1.5b": 1_543_714_304,
    "qwen2.5-14b": 14_770_033_664,
    "qwen2.5-32b": 32_763_876_352,
    "qwen2.5-3b": 3_085_938_688,
    "qwen2.5-72b": 72_706_203_648,
    "qwen2.5-7b": 7_615_616_512,
    "qwen3-0.6b": 596_049_920,
    "qwen3-1.7b": 1_720_574_976,
    "qwen3-14b": 14_768_307_200,
    "qwen3-32b": 32_762_123_264,
    "tinyllama-1.1b": 1_100_048_384,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_total_is_the_published_one(name):
    assert counts(load_model_spec(name)).total == PUBLISHED[name]


STATED = {
    "codellama-70b": 69e9,
    "command-r-35b": 35e9,
    "deepseek-v4-flash": 284e9,
    "falcon-180b": 180e9,
    "glm-4.5-air": 106e9,
    "glm-5": 744e9,
    "llama-3.3-nemotron-super-49b": 49.9e9,
    "nemotron-3-super-120b-a12b": 120e9,
    "opt-6.7b": 6.7e9,
    "opt-66b": 66e9,
    "palm-540b": 540.35e9,
    "phi-2": 2.78e9,
    "qwen3.5-122b-a10b": 122e9,
}


@pytest.mark.parametrize("name", STATED)
def test_a_total_is_the_stated_one_to_a_percent(name):
    assert counts(load_model_spec(name)).total == pytest.approx(STATED[name], rel=0.01)


def test_gemma_4_is_its_quantised_config():
    spec = load_model_spec("gemma-4-31b")
    read, _ = read_config(CASES / "Gemma-4-31B-IT-NVFP4.json")
    assert (spec.layers, spec.vocabulary, spec.tied) == (read.layers, read.vocabulary, read.tied)


def test_gpt_3_by_hand():
    width, layers = 12288, 96
    matrices = 4 * width**2 + 2 * width * 4 * width
    biases = 4 * width + 4 * width + width
    norms = 2 * 2 * width
    tables = (50257 + 2048) * width
    tally = counts(load_model_spec("gpt-3-175b"))
    assert tally.total == layers * (matrices + biases + norms) + tables + 2 * width
    assert round(tally.total / 1e8) == 1746
    assert tally.lm_head == 0
    assert tally.kv_elements_per_token_growing == 96 * 2 * 12288


@pytest.mark.parametrize("name", model_names())
def test_a_model_file_holds_the_whole_model(tmp_path, name):
    path = tmp_path / "own.toml"
    path.write_text(spec_to_toml(load_model_spec(name)))
    assert load_model_spec(str(path)) == load_model_spec(name)


def test_a_config_and_its_folder_are_accepted(tmp_path):
    path = written(tmp_path, LLAMA_2_7B)
    assert load_model_spec(path).hidden == load_model_spec(str(tmp_path)).hidden == 4096


def test_an_unknown_name():
    with pytest.raises(InputError, match="did you mean 'llama-3-8b'") as caught:
        load_model_spec("llama-3-8")
    assert caught.value.source == "llama-3-8"


def test_mistakes_of_a_model_file(tmp_path):
    text = spec_to_toml(load_model_spec("deepseek-v3"))
    text = text.replace("kv_rank = 512", "kv_rnk = 512").replace("hidden = 7168", "hidden = -1")
    path = tmp_path / "own.toml"
    path.write_text(text.replace("top_k = 8", "top_k = 800"))
    with pytest.raises(InputError) as caught:
        load_model_spec(str(path))
    assert caught.value.lines() == [
        f"{path}: hidden: must be greater than 0, got -1",
        f"{path}: layers.0.attention.kv_rank: is required",
        f"{path}: layers.0.attention.kv_rnk: unknown field; did you mean 'kv_rank'?",
        f"{path}: layers.1.attention.kv_rank: is required",
        f"{path}: layers.1.attention.kv_rnk: unknown field; did you mean 'kv_rank'?",
        f"{path}: layers.1.feedforward: top_k (800) must not exceed experts (256)",
    ]


@pytest.mark.parametrize("content", [b"name = ", b"\xff"])
def test_what_is_not_a_model_file(tmp_path, content):
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is not"):
        load_model_spec(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        load_model_spec(str(tmp_path / "absent.toml"))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.gguf", b"GGUF", "is a model's weights (GGUF): give a config.json"),
        ("m.json", "{}".encode("utf-16"), "is text in UTF-16, not in UTF-8"),
        ("m.yaml", b"a: 1", "must end in .toml or .json, got a file that ends in '.yaml'"),
    ],
)
def test_files_of_other_kinds_are_called_by_their_name(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_model_spec(str(tmp_path / name))
    assert message in str(caught.value)
