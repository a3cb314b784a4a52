// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// As in the library's own manifest, but for MemberImportVisibility: Tracing re-exports what it is made of.
let warnings: [SwiftSetting] =
    Context.environment["APUS_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

func apus(_ name: String) -> Target.Dependency { .product(name: name, package: "apus") }
let telemetry = [
    apus("Apus"), apus("ApusTelemetry"), apus("ApusOTLP"), apus("ApusLogging"), apus("ApusMetrics"),
    apus("ApusTracing"),
]
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")

let package = Package(
    name: "telemetry",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The traits bring ApusLogging, ApusMetrics and ApusTracing, and with them the packages below.
        .package(name: "apus", path: "../..", traits: ["Logging", "Metrics", "Tracing"]),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .target(name: "TelemetryDemo", dependencies: telemetry + [logging, tracing], swiftSettings: strict),
        .executableTarget(name: "telemetry", dependencies: ["TelemetryDemo", logging], swiftSettings: strict),
        .testTarget(
            name: "TelemetryTests",
            dependencies: telemetry + [
                "TelemetryDemo", logging, tracing,
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
