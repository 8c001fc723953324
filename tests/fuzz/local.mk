# libFuzzer targets, one for each parser, with their corpora.
