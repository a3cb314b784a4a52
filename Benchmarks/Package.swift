// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
    name: "apus-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "apus", path: ".."),
        .package(path: "Load"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // What apus-bench-codec compares with.
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.28.0"),
    ],
    targets: [
        .target(name: "BenchProtos", dependencies: [.product(name: "Apus", package: "apus")]),
        .target(
            name: "BenchTelemetry",
            dependencies: [
                .product(name: "Apus", package: "apus"), .product(name: "ApusOTLP", package: "apus"),
                .product(name: "ApusTelemetry", package: "apus"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "apus-bench-server",
            dependencies: [
                "BenchProtos", "BenchTelemetry", .product(name: "Apus", package: "apus"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "apus-bench-client",
            dependencies: [
                "BenchProtos", "BenchTelemetry", .product(name: "Apus", package: "apus"),
                .product(name: "BenchLoad", package: "Load"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "apus-endurance",
            dependencies: [
                "BenchProtos", .product(name: "Apus", package: "apus"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .target(name: "CAllocationCount"),
        .target(
            name: "CCodecProtos", publicHeadersPath: ".", linkerSettings: [.linkedLibrary("protobuf-c")]),
        .target(
            name: "CodecProtos",
            dependencies: [
                .product(name: "ApusCore", package: "apus"), .product(name: "ApusProtobuf", package: "apus"),
            ]),
        .target(
            name: "SwiftCodecProtos", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")]),
        .executableTarget(
            name: "apus-bench-codec",
            dependencies: [
                "CAllocationCount", "CCodecProtos", "CodecProtos", "SwiftCodecProtos",
                .product(name: "ApusCore", package: "apus"), .product(name: "ApusProtobuf", package: "apus"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
