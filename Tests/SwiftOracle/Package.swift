// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let warnings: [SwiftSetting] =
    Context.environment["APUS_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let apus: [Target.Dependency] = [
    .product(name: "ApusCore", package: "apus"), .product(name: "ApusProtobuf", package: "apus"),
]
let swiftProtobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

// A package of its own: only these tests compile swift-protobuf.
let package = Package(
    name: "swift-oracle",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "apus", path: "../.."),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.28.0"),
    ],
    targets: [
        // swift-protobuf's code for the .proto files of proto/test.
        .target(name: "SwiftTypes", dependencies: [swiftProtobuf]),
        .testTarget(
            name: "OracleTests", dependencies: apus + [swiftProtobuf, "SwiftTypes"], swiftSettings: warnings),
    ],
    swiftLanguageModes: [.v6]
)
