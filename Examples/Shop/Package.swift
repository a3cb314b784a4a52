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
let admin = Target.Dependency.product(name: "ApusAdmin", package: "apus")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "shop",
    platforms: [.macOS(.v15)],
    dependencies: [
        // The trait brings the demo's admin page, and with it the sockets of FlyingFox.
        .package(name: "apus", path: "../..", traits: ["Admin"]),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CShopCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),

        library("PasswordHash", ["CShopCrypto"]),
        library("ShopStore", ["PasswordHash", grdb]),
        library("Processes", [apus]),
        library("Figures"),
        library("ShopProtos", [apus]),
        library("ShopCatalog", [apus, "ShopProtos"]),
        library("ShopServices", [apus, arguments, "Processes", "ShopCatalog", "ShopProtos", "ShopStore"]),
        library("ShopDrill", [apus, admin, "Figures", "PasswordHash", "Processes", "ShopProtos", "ShopStore"]),
        library("DrillProtos", [apus]),
        library("FailureDrill", [apus, "DrillProtos", "Figures", "Processes"]),

        executable("shop-users", [arguments, "PasswordHash", "ShopServices", "ShopStore"]),
        executable("shop-orders", [apus, arguments, "ShopProtos", "ShopServices", "ShopStore"]),
        executable("shop-catalog", [apus, "ShopCatalog"]),
        executable("shop-demo", [apus, arguments, "ShopDrill"]),
        executable("drill-worker", [apus, arguments, "DrillProtos", "Processes"]),
        executable("failure-drill", [apus, arguments, "FailureDrill", "Processes"]),
        executable("rollout", [apus, arguments, "FailureDrill", "Processes"]),

        tests("PasswordHashTests", ["PasswordHash"]),
        tests("ShopStoreTests", ["ShopStore", "PasswordHash", grdb]),
        tests("ShopPeerTests", [apus, "PasswordHash", "ShopProtos", "ShopServices", "ShopStore"]),
        tests("ShopCatalogTests", [apus, "ShopCatalog", "ShopProtos"]),
        tests("ShopServicesTests", [apus, "PasswordHash", "ShopCatalog", "ShopProtos", "ShopServices", "ShopStore"]),
        tests("ProcessesTests", ["Processes"]),
        tests("FiguresTests", ["Figures"]),
        tests("ShopDrillTests", [apus, "Figures", "ShopDrill"]),
        tests("FailureDrillTests", [apus, "DrillProtos", "FailureDrill", "Figures"]),
    ],
    swiftLanguageModes: [.v6]
)
