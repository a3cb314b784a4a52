// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let warnings: [SwiftSetting] =
    Context.environment["APUS_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

let dependencies: [Target.Dependency] = [
    .product(name: "Apus", package: "apus"), .product(name: "ApusSwiftProtobuf", package: "apus"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

let package = Package(
    name: "journal",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The trait brings `SwiftProtobufCodec`, which stubs for messages of swift-protobuf use.
        .package(name: "apus", path: "../..", traits: ["SwiftProtobuf"]),
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.28.0"),
    ],
    targets: [
        // Stubs from journal.proto; apus.json beside it says whose messages they carry.
        .target(
            name: "JournalProtos", dependencies: dependencies, swiftSettings: strict,
            plugins: [.plugin(name: "ApusPlugin", package: "apus")]),
        .testTarget(name: "JournalTests", dependencies: dependencies + ["JournalProtos"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
