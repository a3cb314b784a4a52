// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let grpc: [Target.Dependency] = [
    "EchoProtos",
    .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2", package: "grpc-swift-nio-transport"),
    .product(name: "ArgumentParser", package: "swift-argument-parser"),
]

// bench.Echo served and called with grpc-swift-2. A package of its own: its release build takes 16 CPU minutes.
let package = Package(
    name: "grpc-swift-bench",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(path: "../../Load"),
        .package(url: "https://github.com/grpc/grpc-swift-2.git", from: "2.0.0"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", from: "2.0.0"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", from: "2.0.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .target(
            name: "EchoProtos",
            dependencies: [
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
            ],
            plugins: [.plugin(name: "GRPCProtobufGenerator", package: "grpc-swift-protobuf")]),
        .executableTarget(name: "grpc-swift-bench-server", dependencies: grpc),
        .executableTarget(
            name: "grpc-swift-bench-client", dependencies: grpc + [.product(name: "BenchLoad", package: "Load")]),
    ],
    swiftLanguageModes: [.v6]
)
