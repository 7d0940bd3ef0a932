#!/usr/bin/env bash
# Run once, as root, when Gradescope builds the image: Python, the packages, the grader and the public data it needs.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"
export DEBIAN_FRONTEND=noninteractive UV_PYTHON_INSTALL_DIR=/opt/python UV_NO_CACHE=1 XDG_CACHE_HOME=/opt/grader-cache

chmod -R go-rwx "$source"  # the secret, and the answers that are made from it

apt-get update
apt-get install -y --no-install-recommends ca-certificates python3 python3-venv util-linux
python3 -m venv /opt/uv
/opt/uv/bin/pip install --quiet uv
/opt/uv/bin/uv venv --python "$(cat "$source/python-version")" /opt/grader
/opt/uv/bin/uv pip install --python /opt/grader/bin/python \
    --requirement "$source/requirements.txt" --constraint "$source/constraints.txt"

packages="$(/opt/grader/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
cp -r "$source/package/grader" "$packages/"
chmod -R a+rX "$packages/grader"

while read -r set; do
    /opt/grader/bin/python -P -m grader data fetch "$set"
done < "$source/sets.txt"
