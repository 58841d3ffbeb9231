"""Run by a Python that has TensorFlow: `by_tensorflow.py FOLDER`, which holds config.json, `inputs.npz`, `values.npz`.

Makes Google's variables with those values, saves them as TensorFlow 1's Saver does (with Adam's memories), and writes
what the model answers, computed by plain TensorFlow operations: `answers.npz`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()


def main(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    values = np.load(folder / "values.npz")
    inputs = np.load(folder / "inputs.npz")
    variables = {name: tf.get_variable(name, initializer=tf.constant(values[name])) for name in values.files}
    tf.get_variable("global_step", initializer=tf.constant(7, tf.int64))
    answers = model(config, variables, *(tf.constant(inputs[name]) for name in ("ids", "types", "mask")))
    train = tf.train.AdamOptimizer().minimize(tf.reduce_sum(answers["order"]), var_list=list(variables.values()))
    assert train is not None  # never run: only its slots are wanted
    name = "model.ckpt-best" if "embedding_size" in config else "bert_model.ckpt"
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(folder / name))
        np.savez(folder / "answers.npz", **session.run(answers))


def model(config, v, ids, types, mask):
    albert = "embedding_size" in config
    act, heads, layers = gelu if albert else erf_gelu, config["num_attention_heads"], config["num_hidden_layers"]
    e = "bert/embeddings/"
    x = tf.gather(v[e + "word_embeddings"], ids) + tf.gather(v[e + "token_type_embeddings"], types)
    x = norm(v, e + "LayerNorm", x + v[e + "position_embeddings"][: ids.shape[1]])
    away = (1.0 - tf.cast(mask, tf.float32)[:, None, None, :]) * -10000.0
    if albert:
        x = dense(v, "bert/encoder/embedding_hidden_mapping_in", x)
    for layer in range(layers):
        if albert:
            group = int(layer / layers * config["num_hidden_groups"])
            for inner in range(config["inner_group_num"]):
                s = f"bert/encoder/transformer/group_{group}/inner_group_{inner}/"
                f = s + "ffn_1/intermediate/"
                a = norm(v, s + "LayerNorm", x + attention(v, s + "attention_1", x, away, heads))
                x = norm(v, s + "LayerNorm_1", a + dense(v, f + "output/dense", act(dense(v, f + "dense", a))))
        else:
            s = f"bert/encoder/layer_{layer}/"
            a = norm(v, s + "attention/output/LayerNorm", x + attention(v, s + "attention", x, away, heads))
            inner = act(dense(v, s + "intermediate/dense", a))
            x = norm(v, s + "output/LayerNorm", a + dense(v, s + "output/dense", inner))
    pooled = tf.tanh(dense(v, "bert/pooler/dense", x[:, 0]))
    t = "cls/predictions/transform/"
    words = norm(v, t + "LayerNorm", act(dense(v, t + "dense", x)))
    words = tf.einsum("btk,vk->btv", words, v[e + "word_embeddings"]) + v["cls/predictions/output_bias"]
    order = tf.matmul(pooled, v["cls/seq_relationship/output_weights"], transpose_b=True)
    return {"hidden": x, "words": words, "order": order + v["cls/seq_relationship/output_bias"]}


def dense(v, name, x):
    return tf.tensordot(x, v[name + "/kernel"], [[-1], [0]]) + v[name + "/bias"]


def norm(v, name, x):
    mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, v[name + "/beta"], v[name + "/gamma"], 1e-12)


def attention(v, name, x, away, heads):
    rows, tokens, hidden = x.shape
    q, k, w = (
        tf.transpose(
            tf.reshape(dense(v, f"{name}/self/{part}", x), [rows, tokens, heads, hidden // heads]), [0, 2, 1, 3]
        )
        for part in ("query", "key", "value")
    )
    scores = tf.matmul(q, k, transpose_b=True) / float(np.sqrt(hidden // heads)) + away
    mixed = tf.transpose(tf.matmul(tf.nn.softmax(scores), w), [0, 2, 1, 3])
    return dense(v, f"{name}/output/dense", tf.reshape(mixed, [rows, tokens, hidden]))


def gelu(x):
    return x * 0.5 * (1.0 + tf.tanh(float(np.sqrt(2 / np.pi)) * (x + 0.044715 * tf.pow(x, 3))))


def erf_gelu(x):
    return x * 0.5 * (1.0 + tf.math.erf(x / float(np.sqrt(2.0))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
