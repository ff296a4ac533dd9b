#!/bin/sh
# Makes ../Generated anew from the .proto files here. Needs protoc (Debian: protobuf-compiler) and, in PATH,
# protoc-gen-swift (apple/swift-protobuf) and protoc-gen-grpc-swift-2 (grpc/grpc-swift-protobuf). Clients only: the
# store's server works on the messages themselves.
set -eu
cd "$(dirname "$0")"
protoc --swift_out=../Generated --swift_opt=Visibility=Package,UseAccessLevelOnImports=true \
    --grpc-swift-2_out=../Generated --grpc-swift-2_opt=Visibility=Package,UseAccessLevelOnImports=true,Server=false ./*.proto
