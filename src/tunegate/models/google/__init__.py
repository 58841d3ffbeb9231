"""Google's own BERT and ALBERT checkpoints (2018 to 2020), made into Hugging Face folders without TensorFlow.

archives.py       a .zip or .tar.gz, unpacked with care
files.py          which files of a folder are the checkpoint, its config and its vocabulary
config.py         bert_config.json or albert_config.json to config.json
weights.py        which of Google's tensors is which weight, with the shape that the config gives it
plan.py           a checkpoint's tensors against that table: mapped, left out, missing, or refused
sentencepiece.py  a SentencePiece .model to tokenizer.json
conversion.py     all of it: the folder written, the report
trial.py          a forward pass of what was written
"""
