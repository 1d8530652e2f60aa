#!/bin/bash
# Installs what `make test` needs of a Debian system and does not find: Chromium,
# fonts for Chinese and emoji, a C compiler for Go's race detector, three proxies, which are
# not started as services, and strace, which sees what reaches the disk and makes it fail.
set -euo pipefail

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v "${CC:-gcc}" >/dev/null || missing+=(gcc libc6-dev)
PATH=$PATH:/usr/sbin:/sbin # where proxies are
command -v nginx >/dev/null || missing+=(nginx)
command -v haproxy >/dev/null || missing+=(haproxy)
command -v caddy >/dev/null || missing+=(caddy)
command -v strace >/dev/null || missing+=(strace)
fonts=$(command -v fc-list >/dev/null && fc-list : family || true)
grep -q 'Noto Sans CJK' <<<"$fonts" || missing+=(fonts-noto-cjk)
grep -q 'Noto Color Emoji' <<<"$fonts" || missing+=(fonts-noto-color-emoji)

if [ ${#missing[@]} -eq 0 ]; then
  echo "test tools: everything is installed"
  exit 0
fi
echo "test tools: installing ${missing[*]}"
if ! command -v apt-get >/dev/null; then
  echo "test tools: this script knows only apt-get; install by hand: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "test tools: run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
# A package starts its service once it is installed, unless this says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" || {
  echo "test tools: installing failed; see above, then try: apt-get install ${missing[*]}" >&2
  exit 1
}
