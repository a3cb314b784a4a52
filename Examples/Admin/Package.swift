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
    name: "admin",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The trait brings the admin page's server, and with it the sockets of FlyingFox.
        .package(name: "apus", path: "../..", traits: ["Admin"])
    ],
    targets: [
        .target(name: "AdminDemo", dependencies: [apus("Apus"), apus("ApusAdmin")], swiftSettings: strict),
        .executableTarget(
            name: "admin", dependencies: [apus("Apus"), apus("ApusAdmin"), "AdminDemo"], swiftSettings: strict),
        .testTarget(
            name: "AdminTests", dependencies: [apus("Apus"), apus("ApusAdmin"), "AdminDemo"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
