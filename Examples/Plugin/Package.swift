// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A stub needs these two; programs that serve or call take "Apus".
let runtime: [Target.Dependency] = [
    .product(name: "ApusCore", package: "apus"), .product(name: "ApusProtobuf", package: "apus"),
]

let package = Package(
    name: "plugin",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "apus", path: "../..")],
    targets: [
        .target(name: "Labels", dependencies: runtime, plugins: [.plugin(name: "ApusPlugin", package: "apus")]),
        .target(
            name: "Notes", dependencies: runtime + ["Labels"], plugins: [.plugin(name: "ApusPlugin", package: "apus")]),
        .testTarget(name: "NotesTests", dependencies: ["Notes", "Labels"] + runtime),
    ],
    swiftLanguageModes: [.v6]
)
