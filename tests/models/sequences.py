"""Hand-written models of sequences."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from case import SAMPLES, Case, labels, registry

N, T = SAMPLES, 7
CASES, case = registry()
TOKENS = {0: "batch", 1: "length"}


def token_labels(classes, mask):
    """A label for each position, -100 for padding and for some others."""
    made = labels(classes, *mask.shape)
    made[(mask == 0) | (torch.rand(mask.shape) < 0.2)] = -100
    made[:, 0] = labels(classes, mask.shape[0])
    return made


def padding(kind=torch.int64):
    """[N, T], 1 where there is a token; one sample is whole."""
    lengths = torch.tensor([T, 4, 6, 3, 5, 6])
    return (torch.arange(T) < lengths[:, None]).to(kind)


class LstmTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(30, 8)
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.hidden, self.act, self.out = nn.Linear(12, 10), nn.ReLU(), nn.Linear(10, 5)

    def forward(self, tokens):
        return self.out(self.act(self.hidden(self.lstm(self.words(tokens))[0])))


@case
def lstm_tagger():
    return Case("", LstmTagger(), {"tokens": torch.randint(1, 30, (N, T))}, token_labels(5, padding()))


@case
def lstm_tagger_masked():
    """One label per sample, and a mask that is no input of the model."""
    return Case("", LstmTagger(), {"tokens": torch.randint(1, 30, (N, T))}, labels(5), at="mean", mask="counts",
                arrays={"counts": padding()}, path=None)


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 9)
        self.hidden, self.act, self.out = nn.Linear(9, 8), nn.ReLU(), nn.Linear(8, 3)

    def forward(self, series):
        h = self.act(self.hidden(self.gru(series.transpose(0, 1))[0]))
        return self.out(h.mean(0))


@case
def gru_time_first():
    return Case("", TimeFirst(), {"series": torch.randn(N, T, 4)}, labels(3), batch_axes={"act": 1}, path="conductance")


class PackedLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(30, 8)
        self.lstm = nn.LSTM(8, 10, batch_first=True)
        self.head = nn.Sequential(nn.Linear(10, 12), nn.Tanh(), nn.Linear(12, 4))

    def forward(self, tokens, lengths):
        packed = pack_padded_sequence(self.words(tokens), lengths, batch_first=True, enforce_sorted=False)
        h = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]
        return self.head(h[torch.arange(h.size(0)), lengths - 1])


@case
def lstm_packed():
    return Case("", PackedLstm(), {"tokens": torch.randint(1, 30, (N, T)), "lengths": padding().sum(1)}, labels(4))


class CellLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(4, 8)
        self.act, self.out = nn.LeakyReLU(0.1), nn.Linear(8, 3)

    def forward(self, series):
        h = torch.zeros(series.size(0), 8)
        total = torch.zeros(series.size(0), 8)
        for step in range(5):
            h = self.cell(series[:, step], h)
            total = total + self.act(h)
        return self.out(total)


@case
def gru_cell_loop():
    return Case("", CellLoop(), {"series": torch.randn(N, 5, 4)}, labels(3))


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(20, 12), nn.Embedding(24, 12)
        self.transformer = nn.Transformer(12, 2, 1, 2, 18, 0.1, batch_first=True)
        self.out = nn.Linear(12, 24)

    def forward(self, src, tgt, src_key_padding_mask):
        ahead = torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool).triu(1)
        return self.out(self.transformer(self.source(src), self.target(tgt), tgt_mask=ahead, tgt_is_causal=True,
                                         src_key_padding_mask=src_key_padding_mask,
                                         memory_key_padding_mask=src_key_padding_mask))


@case
def seq2seq_transformer():
    hidden = padding() == 0
    return Case("", Seq2Seq(), {"src": torch.randint(1, 20, (N, T)), "tgt": torch.randint(1, 24, (N, 5)),
                                "src_key_padding_mask": hidden},
                token_labels(24, torch.ones(N, 5)), forms=("exported", "traced"), path=None)


class Seq2SeqGru(nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(20, 8), nn.Embedding(24, 8)
        self.encoder, self.decoder = nn.GRU(8, 10, batch_first=True), nn.GRU(8, 10, batch_first=True)
        self.act, self.join, self.out = nn.Tanh(), nn.Linear(20, 12), nn.Linear(12, 24)

    def forward(self, src, tgt):
        memory, state = self.encoder(self.source(src))
        h = self.decoder(self.target(tgt), state)[0]
        weights = torch.softmax(h @ memory.transpose(1, 2), dim=-1)
        return self.out(self.act(self.join(torch.cat([h, weights @ memory], dim=-1))))


@case
def seq2seq_gru():
    return Case("", Seq2SeqGru(), {"src": torch.randint(1, 20, (N, T)), "tgt": torch.randint(1, 24, (N, 5))},
                token_labels(24, torch.ones(N, 5)))


class EncoderClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Embedding(30, 12), nn.Embedding(16, 12)
        layer = nn.TransformerEncoderLayer(12, 2, 20, dropout=0.1, activation="relu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(12, 4)

    def forward(self, tokens, mask):
        x = self.words(tokens) + self.places(torch.arange(tokens.size(1)))
        x = self.encoder(x, src_key_padding_mask=mask == 0)
        m = mask.unsqueeze(-1).to(x.dtype)
        return self.out((x * m).sum(1) / m.sum(1))


@case
def encoder_classifier():
    return Case("", EncoderClassifier(), {"tokens": torch.randint(1, 30, (N, T)), "mask": padding()}, labels(4),
                mask="mask", dynamic={"tokens": TOKENS, "mask": TOKENS}, forms=("exported", "traced"), path=None)


class TemporalConvolution(nn.Module):
    """Classes on axis 1, time behind them."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(4, 8, 3, padding=2, dilation=2), nn.ReLU(), nn.Conv1d(8, 10, 3, padding=1),
                                 nn.ReLU(), nn.Conv1d(10, 5, 1))

    def forward(self, series):
        return self.net(series)


@case
def temporal_convolution():
    return Case("", TemporalConvolution(), {"series": torch.randn(N, 4, 9)}, labels(5), at="8", class_axis=1,
                dynamic={"series": {0: "batch", 2: "length"}}, path="conductance")


@case
def temporal_first():
    return Case("", TemporalConvolution(), {"series": torch.randn(N, 4, 9)}, target="3", at="first", class_axis=1,
                dynamic={"series": {0: "batch", 2: "length"}})


class GatedLanguageModel(nn.Module):
    """A small decoder with a gated network, written by hand."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(32, 12)
        self.norm1, self.norm2 = nn.RMSNorm(12), nn.RMSNorm(12)
        self.qkv, self.proj = nn.Linear(12, 36), nn.Linear(12, 12)
        self.gate, self.up, self.down = nn.Linear(12, 16), nn.Linear(12, 16), nn.Linear(16, 12)
        self.out = nn.Linear(12, 32, bias=False)

    def forward(self, tokens):
        x = self.words(tokens)
        n, t = tokens.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, 2, 6).permute(2, 0, 3, 1, 4).unbind(0)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(n, t, 12))
        h = self.norm2(x)
        x = x + self.down(nn.functional.silu(self.gate(h)) * self.up(h))
        return self.out(x)


@case
def gated_language_model():
    return Case("", GatedLanguageModel(), {"tokens": torch.randint(0, 32, (N, T))}, labels(32), at="last",
                dynamic={"tokens": TOKENS})


@case
def next_tokens():
    """The next token at every position, as in training."""
    return Case("", GatedLanguageModel(), {"tokens": torch.randint(0, 32, (N, T))}, labels(32, N, T),
                dynamic={"tokens": TOKENS})


class MaskedSeries(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(8, 12), nn.Mish(), nn.Linear(12, 10), nn.Mish())
        self.out = nn.Linear(10, 2)

    def forward(self, values, observed):
        h = self.inner(torch.cat([values * observed.unsqueeze(-1), values.cumsum(1)], dim=-1))
        return self.out((h * observed.unsqueeze(-1)).sum(1) / observed.sum(1, keepdim=True).clamp(min=1))


@case
def masked_series():
    return Case("", MaskedSeries(), {"values": torch.randn(N, T, 4), "observed": padding(torch.float32)}, labels(2),
                mask="observed", dynamic={"values": TOKENS, "observed": TOKENS}, path=None)
