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
    ],
    targets: [
        .target(name: "BenchProtos", dependencies: [.product(name: "Apus", package: "apus")]),
        .executableTarget(
            name: "apus-bench-server",
            dependencies: [
                "BenchProtos", .product(name: "Apus", package: "apus"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "apus-bench-client",
            dependencies: [
                "BenchProtos", .product(name: "Apus", package: "apus"), .product(name: "BenchLoad", package: "Load"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "apus-endurance",
            dependencies: [
                "BenchProtos", .product(name: "Apus", package: "apus"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
