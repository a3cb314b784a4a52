// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// As in the library's own manifest.
let warnings: [SwiftSetting] =
    Context.environment["APUS_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

let apus = Target.Dependency.product(name: "Apus", package: "apus")
let etcd = Target.Dependency.product(name: "ApusEtcd", package: "apus")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "apus-tools",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "apus", targets: ["apus"])],
    dependencies: [
        .package(name: "apus", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    ],
    targets: [
        // Percentiles, schedules and drawings: nothing here makes a call.
        library("LoadFigures"),
        // What a server's services look like: by reflection, from .proto files, from descriptor sets.
        library("Schemas", [apus]),
        library("ApusCLI", [apus, etcd, arguments, "LoadFigures", "Schemas"]),
        .executableTarget(name: "apus", dependencies: ["ApusCLI"], swiftSettings: strict),

        // A service to be called, and the program in a process of its own.
        .target(name: "ParrotSupport", dependencies: [apus], path: "Tests/ParrotSupport", swiftSettings: strict),
        tests("LoadFiguresTests", ["LoadFigures"]),
        tests("SchemasTests", [apus, "ParrotSupport", "Schemas"]),
        tests("ApusCLITests", [apus, arguments, etcd, "apus", "ApusCLI", "LoadFigures", "ParrotSupport", "Schemas"]),
    ],
    swiftLanguageModes: [.v6]
)
