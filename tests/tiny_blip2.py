"""A BLIP-2 with random weights, small enough to be made in a test: the same code as the large one runs."""

from __future__ import annotations

import json
from pathlib import Path

SIDE_PX, QUERIES = 28, 4


def make(folder: Path, old: bool = False) -> Path:
    """Write a model of 31,000 parameters: config, weights, tokenizer, processor.

    Args:
        folder: where.
        old: laid out as the files of 2023 and 2024 are, the pinned revision's among them: nothing in them says where
            the picture goes (no ``<image>``, no ``image_token_index``, no number of queries for the processor).
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        Blip2QFormerConfig,
        Blip2VisionConfig,
        BlipImageProcessor,
        OPTConfig,
        PreTrainedTokenizerFast,
    )

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learn = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "<pad>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator(["Question: what is it? Answer: a cat on a table."] * 4, learn)
    words.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="</s>", eos_token="</s>", pad_token="<pad>", unk_token="</s>"
    )
    tokenizer.save_pretrained(folder)  # before the processor adds <image>
    image_processor = BlipImageProcessor(size={"height": SIDE_PX, "width": SIDE_PX})
    processor = Blip2Processor(image_processor, tokenizer, num_query_tokens=QUERIES)
    place = len(processor.tokenizer) - 1
    assert processor.tokenizer.convert_tokens_to_ids("<image>") == place
    if not old:
        processor.save_pretrained(folder)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Blip2Config(
        vision_config=Blip2VisionConfig(**size, image_size=SIDE_PX, patch_size=14).to_dict(),
        qformer_config=Blip2QFormerConfig(**size, encoder_hidden_size=16, vocab_size=place + 1).to_dict(),
        text_config=OPTConfig(
            vocab_size=place + 2,  # as in the large one, which has more places than words
            hidden_size=16,
            num_hidden_layers=2,
            ffn_dim=32,
            num_attention_heads=2,
            word_embed_proj_dim=16,
            max_position_embeddings=128,
            pad_token_id=1,
            bos_token_id=2,
            eos_token_id=2,
        ).to_dict(),
        num_query_tokens=QUERIES,
        image_token_index=place,
    )
    torch.manual_seed(7)
    model = Blip2ForConditionalGeneration(config).eval()
    with torch.no_grad():  # random weights of the usual size look at nothing: every answer would be the same
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(12)
    model.save_pretrained(folder)
    if old:
        image_processor.save_pretrained(folder)
        stored = json.loads((folder / "config.json").read_text())
        del stored["image_token_index"]
        (folder / "config.json").write_text(json.dumps(stored))
    return folder
