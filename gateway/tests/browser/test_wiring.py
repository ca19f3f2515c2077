"""The wiring diagrams, in a browser: every word can be read, on white and on dark."""

import itertools
import re
from typing import Any

import pytest
from browser_kit import IN_ONE_LOOP, NewPage
from stage.boards import FOLDER, NAMES

from doorward import boards
from doorward.boards import drawing
from doorward.boards.pins import pin_uses

pytestmark = IN_ONE_LOOP

TEXTS = """[...document.querySelectorAll('text')].map(text => {
    const box = text.getBoundingClientRect();
    return {words: text.textContent, x: box.x, y: box.y, right: box.right, bottom: box.bottom,
            ink: getComputedStyle(text).fill};
})"""
SIZE = """(() => { const box = document.documentElement.getBoundingClientRect();
    return [box.width, box.height]; })()"""
# What lies beneath each word: the fill of the last rectangle that was drawn under its middle.
PAPER = """[...document.querySelectorAll('text')].map(text => {
    const box = text.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const under = [...document.querySelectorAll('rect')].filter(rect => {
        const r = rect.getBoundingClientRect();
        return r.x <= x && x <= r.right && r.y <= y && y <= r.bottom;
    });
    return getComputedStyle(under.at(-1)).fill;
})"""
# A line of text is a little lower than its box says.
SLACK = 1.0

Box = dict[str, Any]


def overlap(one: Box, other: Box) -> bool:
    return (
        min(one["right"], other["right"]) - max(one["x"], other["x"]) > SLACK
        and min(one["bottom"], other["bottom"]) - max(one["y"], other["y"]) > SLACK
    )


def segments(svg: str) -> list[Box]:
    """Every straight piece of every wire, as a box as thick as the wire."""
    found = []
    for path in re.findall(r'<path class="w"[^>]* d="([^"]+)"', svg):
        points: list[tuple[float, float]] = []
        for letter, numbers in re.findall(r"([MLV])([-\d. ]+)", path):
            values = [float(number) for number in numbers.split()]
            points.append((points[-1][0], values[0]) if letter == "V" else (values[0], values[1]))
        for (x, y), (to_x, to_y) in itertools.pairwise(points):
            found.append(
                {
                    "x": min(x, to_x) - 1.25,
                    "right": max(x, to_x) + 1.25,
                    "y": min(y, to_y) - 1.25,
                    "bottom": max(y, to_y) + 1.25,
                }
            )
    return found


def luminance(colour: str) -> float:
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def collisions(texts: list[Box], wires: list[Box]) -> list[str]:
    """Words that lie on words or on wires."""
    pairs = [
        f"{one['words']!r} on {other['words']!r}"
        for one, other in itertools.combinations(texts, 2)
        if overlap(one, other)
    ]
    return pairs + [
        f"a wire through {text['words']!r}"
        for text in texts
        if any(overlap(text, wire) for wire in wires)
    ]


@pytest.mark.parametrize("name", NAMES)
async def test_every_word_can_be_read(name: str, new_page: NewPage) -> None:
    profile = boards.load(FOLDER, name)
    svg = drawing.svg(profile)
    for scheme in ("light", "dark"):
        tab = await new_page(size=(1400, 1400), scheme=scheme, still=True)
        await tab.page.set_content(f"<body style='margin:0'>{svg}")
        texts = await tab.page.evaluate(TEXTS)
        # Read from the file, so that a label that is missing is missed.
        assert len(texts) == svg.count("<text")
        words = [text["words"] for text in texts]
        assert {f"GPIO {use.gpio}" for use in pin_uses(profile)} <= set(words)
        assert collisions(texts, segments(svg)) == []
        width, height = map(float, re.findall(r' (?:width|height)="([\d.]+)"', svg)[:2])
        outside = [t for t in texts if t["x"] < 0 or t["right"] > width or t["bottom"] > height]
        assert outside == []
        papers = await tab.page.evaluate(PAPER)
        faint = [
            (text["words"], text["ink"], paper)
            for text, paper in zip(texts, papers, strict=True)
            if contrast(text["ink"], paper) < 4.5
        ]
        assert faint == []
        await tab.picture(f"wiring-{name}-{scheme}", full=False)


async def test_a_label_on_another_would_be_found(new_page: NewPage) -> None:
    svg = drawing.svg(boards.load(FOLDER, "door-esp32"))
    moved = re.sub(r'x="[\d.]+" y="[\d.]+"([^>]*>GPIO 32)', r'x="30" y="32"\1', svg)
    assert moved != svg
    tab = await new_page(size=(1400, 1400), still=True)
    await tab.page.set_content(f"<body style='margin:0'>{moved}")
    texts = await tab.page.evaluate(TEXTS)
    assert collisions(texts, []) != []
    wired = re.sub(r'd="M[^"]+"', 'd="M0 30 L600 30"', svg, count=1)
    assert collisions(texts, segments(wired)) != []
