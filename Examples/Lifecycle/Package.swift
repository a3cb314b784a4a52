// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// As in the library's own manifest, but for MemberImportVisibility: ServiceLifecycle re-exports its signals.
let warnings: [SwiftSetting] =
    Context.environment["APUS_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

let apus = Target.Dependency.product(name: "Apus", package: "apus")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "lifecycle",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The trait brings `ServerService`, and with it swift-service-lifecycle.
        .package(name: "apus", path: "../..", traits: ["ServiceLifecycle"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.5.2"),
    ],
    targets: [
        .executableTarget(
            name: "lifecycle-server", dependencies: [apus, lifecycle, logging], swiftSettings: strict),
        .testTarget(name: "LifecycleTests", dependencies: [apus, lifecycle, logging], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
