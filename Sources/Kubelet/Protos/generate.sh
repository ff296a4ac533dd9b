#!/bin/sh
# Writes Generated/ from cri.proto. Needs protoc (protobuf-compiler) and, on PATH, protoc-gen-swift of swift-protobuf
# and protoc-gen-grpc-swift-2 of grpc-swift-protobuf in the versions that Package.swift names.
set -e
cd "$(dirname "$0")"
protoc --swift_opt=Visibility=Internal --swift_out=../Generated \
    --grpc-swift-2_opt=Visibility=Internal,Server=false --grpc-swift-2_out=../Generated cri.proto
