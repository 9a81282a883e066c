"""boxes.py: the boxes of `netc graph` lie inside the picture and not upon each other.

usage: boxes.py FILE.svg COUNT: the least count of boxes; prints what is wrong.
"""
import sys
import xml.etree.ElementTree as xml

SVG = "{http://www.w3.org/2000/svg}"


def main():
    root = xml.parse(sys.argv[1]).getroot()
    boxes = [[float(r.get(k)) for k in ("x", "y", "width", "height")]
             for r in root.iter(SVG + "rect") if r.get("class") != "page"]
    width, height = float(root.get("width")), float(root.get("height"))
    for i, (x, y, w, h) in enumerate(boxes):
        if x < 0 or y < 0 or x + w > width or y + h > height:
            print(f"box {i} lies outside the picture")
        for k, (u, v, a, b) in enumerate(boxes[:i]):
            if min(x + w, u + a) > max(x, u) and min(y + h, v + b) > max(y, v):
                print(f"box {i} lies upon box {k}")
    if len(boxes) < int(sys.argv[2]):
        print(f"only {len(boxes)} boxes")
    heads = [p for p in root.iter(SVG + "path") if p.get("class").endswith("head")]
    if len(heads) < len(boxes) - 1:
        print(f"{len(heads)} arrows between {len(boxes)} boxes")


main()
