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

let apus: [Target.Dependency] = [
    .product(name: "Apus", package: "apus"), .product(name: "ApusJWT", package: "apus"),
]

let package = Package(
    name: "security",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The trait brings ApusJWT, and with it the first of the packages below.
        .package(name: "apus", path: "../..", traits: ["JWT"]),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.0.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.1.0"),
    ],
    targets: [
        .target(name: "SecurityDemo", dependencies: apus, swiftSettings: strict),
        .testTarget(
            name: "SecurityTests",
            dependencies: apus + [
                "SecurityDemo", .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
