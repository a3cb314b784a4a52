// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// What load generators in Swift have in common, whatever library they call with.
let package = Package(
    name: "bench-load",
    platforms: [.macOS(.v15)],
    products: [.library(name: "BenchLoad", targets: ["BenchLoad"])],
    dependencies: [.package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")],
    targets: [
        .target(
            name: "BenchLoad",
            dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
        .testTarget(name: "BenchLoadTests", dependencies: ["BenchLoad"]),
    ],
    swiftLanguageModes: [.v6]
)
