#!/bin/sh
# Sends the tutorial's gradient, then one op alone: sh curl.sh [URL]
set -eu
url=${1:-http://127.0.0.1:8000}
here=$(dirname "$0")

curl -sS --fail-with-body "$url/v1/graphs/run" -H 'Content-Type: application/json' --data-binary "@$here/tutorial_gradient.json"
echo
curl -sS --fail-with-body "$url/v1/ops/linalg.norm" -H 'Content-Type: application/json' -d '{"args": [{"data": [3.0, 4.0]}]}'
echo
