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

func apus(_ name: String) -> Target.Dependency { .product(name: name, package: "apus") }

let package = Package(
    name: "configured",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The trait brings ApusConfiguration, and with it the package below.
        .package(name: "apus", path: "../..", traits: ["Configuration"]),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    ],
    targets: [
        .executableTarget(
            name: "configured-server", dependencies: [apus("Apus"), apus("ApusConfiguration")], swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: [
                apus("Apus"), apus("ApusAdmin"), apus("ApusConfiguration"), apus("ApusOTLP"),
                .product(name: "Configuration", package: "swift-configuration"),
            ], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
