import collections, json, pathlib, re, sys

source, out = map(pathlib.Path, sys.argv[1:3])
words = re.findall(r"\w+", source.read_text(errors="replace").lower())
if not words:
    print(json.dumps({"error": {"detail": "The text has no words."}}))
    sys.exit()
(out / "counts.json").write_text(json.dumps(collections.Counter(words)))
print(json.dumps({"file": "counts.json", "type": "application/json"}))
print(json.dumps({"result": {"words": len(words), "different": len(set(words))}}))
