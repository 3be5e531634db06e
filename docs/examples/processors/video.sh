#!/bin/sh
# The facts of a video and a poster frame. Needs ffprobe and ffmpeg (Debian package ffmpeg).
set -eu
input=$1
out=$2

# Only local files: a playlist inside the upload must not make ffmpeg open addresses.
probe() {
  ffprobe -v error -protocol_whitelist file,crypto "$@" "$input"
}

if ! duration=$(probe -select_streams v:0 -show_entries format=duration -of csv=p=0); then
  echo '{"error":{"detail":"The video is damaged. Save it again in another program and upload the new file."}}'
  exit 0
fi
echo '{"fraction":0.3}'

middle=$(awk "BEGIN { print $duration / 2 }")
ffmpeg -nostdin -v error -protocol_whitelist file,crypto -ss "$middle" -i "$input" \
  -frames:v 1 -vf "scale='min(1280,iw)':-2" -f image2 "$out/poster.jpg"
echo '{"file":"poster.jpg","type":"image/jpeg"}'

facts=$(probe -show_entries stream=codec_type,codec_name,width,height:format=duration,format_name -of json=compact=1)
printf '{"result":{"video":%s}}\n' "$(printf '%s' "$facts" | tr -d '\n')"
