#!/bin/sh
# Builds Kubernetes from Debian's source package (1.20 in bookworm) with Debian's Go, into the given folder. It fetches only
# Debian's packages, because the source contains what it imports. Takes eight minutes on two idle cores. Needs golang-go, rsync,
# make, gcc, dpkg-dev.
set -eu
cache=$(realpath -m "$1")
programs='kube-apiserver kube-controller-manager kube-scheduler kubelet'
mkdir -p "$cache/apt/lists/partial" "$cache/home" "$cache/bin"
cd "$cache"

complete=yes
for program in $programs; do [ -x "bin/$program" ] || complete=no; done
[ "$complete" = no ] || exit 0

# A machine's lists rarely contain sources, so this makes its own list from Debian's part of the machine's.
if [ ! -d kubernetes ]; then
  sed 's/^Types: .*/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >apt/debian.sources
  set -- -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$cache/apt" -o "Dir::State::Lists=$cache/apt/lists"
  apt-get "$@" update
  rm -rf unpacked
  apt-get "$@" --download-only source kubernetes
  dpkg-source --no-check -x kubernetes_*.dsc unpacked
  mv unpacked kubernetes
fi

# The makefiles must be below a GOPATH.
mkdir -p kubernetes/.go/src/k8s.io
ln -sfn ../../.. kubernetes/.go/src/k8s.io/kubernetes
# Leave out the libraries of cloud providers, which are a third of everything.
export GOPATH="$cache/kubernetes/.go" GOPROXY=off GOFLAGS=-tags=providerless CGO_ENABLED=0 HOME="$cache/home"
cd kubernetes/.go/src/k8s.io/kubernetes
what=''
for program in $programs; do what="$what cmd/$program"; done
nice -n 10 make WHAT="$what"
for program in $programs; do install "_output/bin/$program" "$cache/bin/$program"; done
# The program that holds a pod's namespaces.
gcc -Os -static -o "$cache/bin/pause" build/pause/linux/pause.c
