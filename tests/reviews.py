"""Forty short film reviews written for the tests, twenty of each opinion, and a file of them."""

import csv
from pathlib import Path

GOOD = (
    "A warm and funny film with a wonderful cast; I loved every minute of it.",
    "The acting is superb and the story moved me to tears.",
    "Beautiful photography, a clever script and a great ending.",
    "I didn't expect much, but this was a delightful surprise from start to finish.",
    "One of the best films I have seen this year, honest and gripping.",
    "The director tells a simple story with great care, and the cast is perfect.",
    "A gripping story, superb acting, and music that I still hear days later.",
    "Funny, warm and clever: my whole family loved it.",
    "The script is sharp and the ending is perfect; a great evening.",
    "I loved the music and the wonderful colours of every scene.",
    "An honest film about friendship that is never dull and often funny.",
    "The best acting I have seen in years, and a story that stays with you.",
    "Great fun! The jokes work, the cast shines, and the time flies.",
    "A delightful film: clever, beautiful and moving.",
    "It isn't perfect, but its heart is in the right place and I loved it.",
    "The photography alone is worth the ticket; the story is wonderful too.",
    "A moving story told with a great sense of humour.",
    "Superb from the first scene to the last, and the music is beautiful.",
    "I laughed, I cried, and I would see this great film again.",
    "A clever thriller with a gripping plot and a perfect ending.",
)
BAD = (
    "A dull and predictable film; I was bored after ten minutes.",
    "The acting is wooden and the story makes no sense.",
    "Terrible script, ugly photography and an ending that insults the viewer.",
    "I expected much, and this was a boring disappointment from start to finish.",
    "One of the worst films I have seen this year, slow and pointless.",
    "The director has nothing to say, and the cast looks bored.",
    "A pointless plot, terrible acting, and music that hurts the ears.",
    "Slow, dull and silly: my whole family fell asleep.",
    "The script is lazy and the ending is awful; a wasted evening.",
    "I hated the music and the ugly colours of every scene.",
    "A boring film about nothing that is never funny and always too long.",
    "The worst acting I have seen in years, and a story that you forget at once.",
    "No fun at all: the jokes fall flat, the cast sleeps, and the time crawls.",
    "An awful film: lazy, ugly and pointless.",
    "It isn't worth your money, and I didn't finish it.",
    "Not even the photography is worth the ticket; the story is terrible too.",
    "A silly story told without any sense of humour.",
    "Awful from the first scene to the last, and the music is terrible.",
    "I yawned, I sighed, and I would never see this dull film again.",
    "A lazy thriller with a predictable plot and an awful ending.",
)
REVIEWS = tuple((text, label) for pair in zip(GOOD, BAD, strict=True) for text, label in zip(pair, ("good", "bad"), strict=True))


def write_reviews(path: Path, rows=REVIEWS, header=("review", "sentiment"), **layout) -> Path:
    """A CSV file of these rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, **layout)
        writer.writerow(header)
        writer.writerows(rows)
    return path
