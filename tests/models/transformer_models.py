"""Models of the transformers library with small random configurations, as their users call them."""

import torch
import transformers as hf

from case import SAMPLES, Case, labels, registry
from sequences import T, padding, token_labels

N = SAMPLES
CASES, case = registry()
VOCABULARY = 40
SIZES = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
             max_position_embeddings=32, initializer_range=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2)
TEXT = {0: "batch", 1: "length"}
PICTURE = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, image_size=16,
               patch_size=8, num_labels=5, initializer_range=0.3)
FORMS = ("exported", "traced")


def tokens(length=T):
    return torch.randint(3, VOCABULARY, (N, length))


def text(model, wanted, left=False, **how):
    """Token ids and an attention mask with real padding, at the right or at the left."""
    mask = padding()
    if left:
        mask = mask.flip(1)
    ids = tokens() * mask
    if how.get("mask") is None:
        how["mask"] = "attention_mask"
    model.config.use_cache = False
    return Case("", model, {"input_ids": ids, "attention_mask": mask}, wanted, keywords=True, path=None, forms=FORMS,
                dynamic={"input_ids": TEXT, "attention_mask": TEXT}, **how)


def classifier(model, **how):
    return text(model, labels(3), **how)


def tagger(model, **how):
    return text(model, token_labels(5, padding()), **how)


def next_token(model, left=False, **how):
    return text(model, labels(VOCABULARY), left=left, at="last", **how)


@case
def bert_classifier():
    return classifier(hf.BertForSequenceClassification(hf.BertConfig(**SIZES, num_labels=3)))


@case
def bert_tagger():
    return tagger(hf.BertForTokenClassification(hf.BertConfig(**SIZES, num_labels=5)))


@case
def distilbert_tagger():
    return tagger(hf.DistilBertForTokenClassification(hf.DistilBertConfig(
        vocab_size=VOCABULARY, dim=16, hidden_dim=24, n_layers=2, n_heads=2, max_position_embeddings=32, num_labels=5,
        initializer_range=0.3)))


@case
def distilbert_classifier():
    return classifier(hf.DistilBertForSequenceClassification(hf.DistilBertConfig(
        vocab_size=VOCABULARY, dim=16, hidden_dim=24, n_layers=2, n_heads=2, max_position_embeddings=32, num_labels=3,
        initializer_range=0.3, activation="relu")))


@case
def roberta_classifier():
    return classifier(hf.RobertaForSequenceClassification(hf.RobertaConfig(**SIZES, num_labels=3)))


@case
def xlm_roberta_tagger_mean():
    return text(hf.XLMRobertaForTokenClassification(hf.XLMRobertaConfig(**SIZES, num_labels=5)), labels(5), at="mean")


@case
def albert_classifier():
    """One layer's weights, called three times."""
    return classifier(hf.AlbertForSequenceClassification(hf.AlbertConfig(
        **(SIZES | {"num_hidden_layers": 3}), embedding_size=8, num_labels=3)))


@case
def deberta_classifier():
    return classifier(hf.DebertaV2ForSequenceClassification(hf.DebertaV2Config(
        **SIZES, num_labels=3, relative_attention=True, max_relative_positions=8, pos_att_type=["p2c", "c2p"],
        pooler_hidden_size=16)))


@case
def electra_classifier():
    return classifier(hf.ElectraForSequenceClassification(hf.ElectraConfig(**SIZES, embedding_size=12, num_labels=3)))


@case
def mpnet_classifier():
    return classifier(hf.MPNetForSequenceClassification(hf.MPNetConfig(**SIZES, num_labels=3)))


@case
def modernbert_classifier():
    return classifier(hf.ModernBertForSequenceClassification(hf.ModernBertConfig(
        **SIZES, num_labels=3, cls_token_id=1, sep_token_id=2, local_attention=4, global_attn_every_n_layers=2)))


@case
def bert_masked_words():
    """The vocabulary's scores at two masked words of each sentence."""
    made = text(hf.BertForMaskedLM(hf.BertConfig(**SIZES)), None)
    made.labels = torch.full((N, T), -100)
    made.labels[:, 1:3] = labels(VOCABULARY, N, 2)
    return made


@case
def bert_pairs():
    """Three inputs, and a sum over the tokens that count."""
    made = text(hf.BertForQuestionAnswering(hf.BertConfig(**SIZES)), None, output_name="start_logits", target="2")
    made.inputs["token_type_ids"] = (torch.arange(T) > 2).long().expand(N, -1).contiguous()
    made.dynamic["token_type_ids"] = TEXT
    return made


@case
def gpt2():
    return next_token(hf.GPT2LMHeadModel(hf.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32, initializer_range=0.3, bos_token_id=1,
        eos_token_id=2)))


@case
def gpt2_classifier():
    return Case("", *_gpt2_classifier(), keywords=True, forms=FORMS, dynamic={"input_ids": TEXT})


def _gpt2_classifier():
    model = hf.GPT2ForSequenceClassification(hf.GPT2Config(
        vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32, initializer_range=0.3, pad_token_id=0,
        num_labels=3, bos_token_id=1, eos_token_id=2))
    model.config.use_cache = False
    return model, {"input_ids": tokens() * padding()}, labels(3)


@case
def gpt_neo():
    return next_token(hf.GPTNeoForCausalLM(hf.GPTNeoConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_layers=2, num_heads=2, intermediate_size=24, max_position_embeddings=32,
        attention_types=[[["global", "local"], 1]], window_size=4, initializer_range=0.3, bos_token_id=1, eos_token_id=2)))


@case
def gpt_neox():
    return next_token(hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(**SIZES)), left=True)


@case
def opt():
    return next_token(hf.OPTForCausalLM(hf.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, ffn_dim=24,
        max_position_embeddings=32, word_embed_proj_dim=16, init_std=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2)))


@case
def bloom():
    return next_token(hf.BloomForCausalLM(hf.BloomConfig(
        vocab_size=VOCABULARY, hidden_size=16, n_layer=2, n_head=2, initializer_range=0.3, pad_token_id=0)))


@case
def llama():
    return next_token(hf.LlamaForCausalLM(hf.LlamaConfig(**SIZES, num_key_value_heads=1)), left=True)


@case
def mistral():
    return next_token(hf.MistralForCausalLM(hf.MistralConfig(**SIZES, num_key_value_heads=1, head_dim=8, sliding_window=4)))


@case
def qwen2():
    return next_token(hf.Qwen2ForCausalLM(hf.Qwen2Config(**SIZES, num_key_value_heads=2)))


@case
def qwen3_all_tokens():
    return text(hf.Qwen3ForCausalLM(hf.Qwen3Config(**SIZES, num_key_value_heads=1, head_dim=8)),
                token_labels(VOCABULARY, padding()))


@case
def mixtral():
    """Experts whose tokens are gathered: as the library has them, an operator of its own in Python multiplies."""
    model = hf.MixtralForCausalLM(hf.MixtralConfig(
        **(SIZES | {"num_hidden_layers": 1}), num_key_value_heads=1, num_local_experts=3, num_experts_per_tok=2))
    model.set_experts_implementation("batched_mm")
    return next_token(model)


@case
def gemma():
    return next_token(hf.GemmaForCausalLM(hf.GemmaConfig(**SIZES, num_key_value_heads=1, head_dim=8)))


@case
def phi():
    return next_token(hf.PhiForCausalLM(hf.PhiConfig(**SIZES, partial_rotary_factor=0.5)))


@case
def falcon():
    return next_token(hf.FalconForCausalLM(hf.FalconConfig(
        **{k: v for k, v in SIZES.items() if k != "intermediate_size"}, ffn_hidden_size=24)))


@case
def mamba():
    model = hf.MambaForCausalLM(hf.MambaConfig(
        vocab_size=VOCABULARY, hidden_size=8, state_size=4, num_hidden_layers=1, conv_kernel=3, expand=2, time_step_rank=2,
        initializer_range=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2))
    model.config.use_cache = False
    return Case("", model, {"input_ids": tokens(5)}, labels(VOCABULARY), at="last", keywords=True, forms=FORMS,
                axes={"*.mixer": 1}, path=None)


def _t5(**more):
    return hf.T5Config(vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2, pad_token_id=0,
                       eos_token_id=2, decoder_start_token_id=0, use_cache=False, relative_attention_num_buckets=8, initializer_factor=2.0,
                       **more)


@case
def t5_encoder():
    return text(hf.T5EncoderModel(_t5()), None, output_name="last_hidden_state", at="mean", target="3")


@case
def t5():
    made = text(hf.T5ForConditionalGeneration(_t5(feed_forward_proj="gated-gelu")), None)
    made.inputs["decoder_input_ids"] = tokens(5)
    made.dynamic["decoder_input_ids"] = {0: "batch", 1: "target_length"}
    made.labels = token_labels(VOCABULARY, torch.ones(N, 5))
    return made


def _bart(**more):
    return hf.BartConfig(vocab_size=VOCABULARY, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
                         decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=20, max_position_embeddings=32,
                         init_std=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=2, **more)


@case
def bart():
    made = text(hf.BartForConditionalGeneration(_bart()), None)
    made.inputs["decoder_input_ids"] = tokens(5)
    made.dynamic["decoder_input_ids"] = {0: "batch", 1: "target_length"}
    made.labels = token_labels(VOCABULARY, torch.ones(N, 5))
    return made


@case
def bart_classifier():
    """Reads the sentence at its end-of-sequence token."""
    made = classifier(hf.BartForSequenceClassification(_bart(num_labels=3)))
    ids, mask = made.inputs["input_ids"], made.inputs["attention_mask"]
    ids[torch.arange(N), mask.sum(1) - 1] = 2
    return made


def picture(model, wanted=None, **how):
    return Case("", model, {"pixel_values": torch.randn(N, 3, 16, 16)}, labels(5) if wanted is None else wanted,
                keywords=True, forms=FORMS, **how)


@case
def vit():
    return picture(hf.ViTForImageClassification(hf.ViTConfig(**PICTURE)))


@case
def deit():
    return picture(hf.DeiTForImageClassification(hf.DeiTConfig(**PICTURE)))


@case
def beit():
    return picture(hf.BeitForImageClassification(hf.BeitConfig(**PICTURE, use_relative_position_bias=True)))


@case
def dinov2():
    return picture(hf.Dinov2ForImageClassification(hf.Dinov2Config(**PICTURE, mlp_ratio=2)))


@case
def swin():
    return picture(hf.SwinForImageClassification(hf.SwinConfig(
        image_size=16, patch_size=2, embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=4, mlp_ratio=2.0,
        num_labels=5, initializer_range=0.3)))


@case
def convnext():
    return picture(hf.ConvNextForImageClassification(hf.ConvNextConfig(
        num_stages=2, hidden_sizes=[8, 12], depths=[1, 1], patch_size=4, image_size=16, num_labels=5,
        initializer_range=0.3)), path="conductance")


@case
def resnet_hf():
    return picture(hf.ResNetForImageClassification(hf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic", num_labels=5)),
        path="conductance")


@case
def segformer():
    return picture(hf.SegformerForSemanticSegmentation(hf.SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[8, 12], patch_sizes=[3, 3], strides=[2, 2],
        num_attention_heads=[1, 2], mlp_ratios=[2, 2], decoder_hidden_size=10, num_labels=4, initializer_range=0.3)),
        torch.where(torch.rand(N, 8, 8) < 0.8, labels(4, N, 8, 8), -100))


@case
def clip_vision():
    return picture(hf.CLIPVisionModel(hf.CLIPVisionConfig(**{k: v for k, v in PICTURE.items() if k != "num_labels"},
                                                          projection_dim=12)),
                   output_name="pooler_output")


@case
def wav2vec2():
    return Case("", hf.Wav2Vec2ForSequenceClassification(hf.Wav2Vec2Config(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        conv_dim=(8, 8), conv_stride=(4, 2), conv_kernel=(8, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2, classifier_proj_size=12, num_labels=5, initializer_range=0.3)),
        {"input_values": torch.randn(N, 80)}, labels(5), keywords=True, forms=FORMS,
        axes={"*.conv_layers.*": 1, "*.pos_conv_embed.*": 1})


@case
def whisper_encoder():
    return Case("", hf.WhisperForAudioClassification(hf.WhisperConfig(
        vocab_size=VOCABULARY, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, num_mel_bins=8, max_source_positions=8,
        max_target_positions=8, classifier_proj_size=12, num_labels=5, init_std=0.3, pad_token_id=0, bos_token_id=1,
        eos_token_id=2, decoder_start_token_id=1)),
        {"input_features": torch.randn(N, 8, 16)}, labels(5), keywords=True, forms=FORMS, axes={"encoder": 1})
