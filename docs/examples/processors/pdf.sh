#!/bin/sh
# The text of a PDF, and each page as a picture. Needs pdfinfo, pdftotext and pdftoppm (Debian package poppler-utils).
set -eu
input=$1
out=$2

reject() {
  printf '{"error":{"detail":"%s"}}\n' "$1"
  exit 0
}

# pdfinfo fails for a PDF that is damaged, and for one that needs a password.
pages=$(pdfinfo "$input" | sed -n 's/^Pages: *//p')
[ -n "$pages" ] || reject 'The PDF is damaged or needs a password. Save it again and upload the new file.'
[ "$pages" -le 200 ] || reject "The PDF has $pages pages. At most 200 are allowed."

pdftotext "$input" "$out/text.txt"
echo '{"file":"text.txt","type":"text/plain; charset=utf-8"}'

page=1
while [ "$page" -le "$pages" ]; do
  pdftoppm -png -r 72 -f "$page" -l "$page" -singlefile "$input" "$out/page-$page"
  printf '{"file":"page-%d.png","type":"image/png"}\n' "$page"
  awk "BEGIN { printf \"{\\\"fraction\\\":%.3f}\\n\", $page / $pages }"
  page=$((page + 1))
done

printf '{"result":{"pages":%d}}\n' "$pages"
