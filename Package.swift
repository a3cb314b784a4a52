// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Not always on: a newer compiler's new warnings must not stop a newcomer's build.
let warnings: [SwiftSetting] =
    Context.environment["APUS_WARNINGS_AS_ERRORS"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]

/// A C library of the system: found by pkg-config, installed by apt or brew.
func system(_ name: String, pkgConfig: String, apt: String, brew: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt]), .brew([brew])])
}

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

// Only ThreadSanitizer's builds link it.
let sanitizesThreads = Context.environment["APUS_SANITIZE_THREADS"] != nil
let threadSanitizerMutex: [Target] =
    sanitizesThreads ? [.target(name: "CThreadSanitizerMutex", path: "Tests/CThreadSanitizerMutex")] : []

let package = Package(
    name: "apus",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Apus", targets: ["Apus"]),
        .library(name: "ApusCore", targets: ["ApusCore"]),
        .library(name: "ApusProtobuf", targets: ["ApusProtobuf"]),
        .library(name: "ApusChannelz", targets: ["ApusChannelz"]),
        .library(name: "ApusEtcd", targets: ["ApusEtcd"]),
        .library(name: "ApusTelemetry", targets: ["ApusTelemetry"]),
        .library(name: "ApusOTLP", targets: ["ApusOTLP"]),
        .library(name: "ApusAdmin", targets: ["ApusAdmin"]),
        .library(name: "ApusLogging", targets: ["ApusLogging"]),
        .library(name: "ApusMetrics", targets: ["ApusMetrics"]),
        .library(name: "ApusTracing", targets: ["ApusTracing"]),
        .library(name: "ApusJWT", targets: ["ApusJWT"]),
        .library(name: "ApusConfiguration", targets: ["ApusConfiguration"]),
        .library(name: "ApusSwiftProtobuf", targets: ["ApusSwiftProtobuf"]),
        .library(name: "ApusFoundation", targets: ["ApusFoundation"]),
        .executable(name: "protoc-gen-apus", targets: ["protoc-gen-apus"]),
        .plugin(name: "ApusPlugin", targets: ["ApusPlugin"]),
        .plugin(name: "ApusGenerate", targets: ["ApusGenerate"]),
        .executable(name: "apus-interop-server", targets: ["apus-interop-server"]),
        .executable(name: "apus-interop-client", targets: ["apus-interop-client"]),
    ],
    traits: [
        .trait(name: "ServiceLifecycle", description: "Servers as services of swift-service-lifecycle's ServiceGroup."),
        .trait(name: "Admin", description: "ApusAdmin: a page for operators, with its HTTP server."),
        .trait(name: "Logging", description: "ApusLogging: an access log and a log of events through swift-log."),
        .trait(name: "Metrics", description: "ApusMetrics: what is measured goes to swift-metrics."),
        .trait(name: "Tracing", description: "ApusTracing: spans of calls through swift-distributed-tracing."),
        .trait(name: "JWT", description: "ApusJWT: callers are known by JSON Web Tokens, through jwt-kit."),
        .trait(
            name: "Configuration",
            description: "ApusConfiguration: options from flags, environment and files, through swift-configuration."),
        .trait(
            name: "SwiftProtobuf", description: "ApusSwiftProtobuf: stubs for messages that swift-protobuf generated."),
    ],
    // Nothing of them is resolved or fetched without their traits.
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf.git", from: "1.28.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.0")),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.0"),
        .package(url: "https://github.com/vapor/jwt-kit.git", from: "5.0.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: [.defaults, "CommandLineArguments"]),
    ],
    targets: [
        system("CNghttp2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev", brew: "libnghttp2"),
        system("CProtobufC", pkgConfig: "libprotobuf-c", apt: "libprotobuf-c-dev", brew: "protobuf-c"),
        system("CLibuv", pkgConfig: "libuv", apt: "libuv1-dev", brew: "libuv"),
        system("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev", brew: "openssl@3"),
        system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev", brew: "zlib"),

        library("ApusCore"),
        library("ApusInterceptors", ["ApusCore"]),
        library("ApusHTTP2", ["CNghttp2"]),
        library("ApusWire", ["ApusCore", "CZlib"]),
        library("ApusTransport", ["ApusCore", "ApusHTTP2", "ApusWire", "CLibuv", "COpenSSL"]),
        library("ApusProtobuf", ["ApusCore", "CProtobufC"]),
        library("ApusDiscovery", ["ApusCore"]),
        library("ApusChannelz", ["ApusCore", "ApusProtobuf", "ApusTransport"]),
        library("ApusEtcd", ["ApusCore", "ApusTransport", "ApusProtobuf", "ApusDiscovery"]),
        library(
            "ApusSwiftProtobuf",
            [
                "ApusCore",
                .product(
                    name: "SwiftProtobuf", package: "swift-protobuf", condition: .when(traits: ["SwiftProtobuf"])),
            ]),
        library("ApusTelemetry", ["ApusCore"]),
        library("ApusOTLP", ["ApusCore", "ApusProtobuf", "ApusTelemetry"]),
        library(
            "ApusAdmin",
            [
                "ApusCore", "ApusInterceptors", "ApusServices", "ApusTelemetry", "ApusTransport",
                .product(name: "FlyingSocks", package: "FlyingFox", condition: .when(traits: ["Admin"])),
            ]),
        library(
            "ApusLogging",
            [
                "ApusCore", "ApusTelemetry",
                .product(name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"])),
            ]),
        library(
            "ApusMetrics",
            [
                "ApusTelemetry",
                .product(name: "CoreMetrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
            ]),
        library(
            "ApusTracing",
            [
                "ApusCore", "ApusTelemetry",
                .product(
                    name: "Tracing", package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"])),
            ]),
        library(
            "ApusJWT",
            [
                "ApusCore", "ApusInterceptors",
                .product(name: "JWTKit", package: "jwt-kit", condition: .when(traits: ["JWT"])),
            ]),
        library(
            "ApusConfiguration",
            [
                "Apus", "ApusAdmin", "ApusCore", "ApusOTLP", "ApusTransport",
                .product(
                    name: "Configuration", package: "swift-configuration",
                    condition: .when(traits: ["Configuration"])),
            ]),
        library("ApusFoundation", ["ApusCore", "ApusProtobuf"]),
        library("ApusGenerator", ["ApusCore", "ApusProtobuf"]),
        executable("protoc-gen-apus", ["ApusGenerator"]),
        .plugin(name: "ApusPlugin", capability: .buildTool(), dependencies: ["protoc-gen-apus"]),
        .plugin(
            name: "ApusGenerate",
            capability: .command(
                intent: .custom(verb: "generate-apus", description: "Write the code of .proto files into the package"),
                permissions: [.writeToPackageDirectory(reason: "to write the code of its .proto files")]),
            dependencies: ["protoc-gen-apus"]),
        library("ApusServices", ["ApusCore", "ApusInterceptors", "ApusProtobuf"]),
        library(
            "Apus",
            [
                "ApusCore", "ApusInterceptors", "ApusWire", "ApusTransport", "ApusProtobuf", "ApusDiscovery",
                "ApusServices",
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
            ]),
        library("ApusInterop", ["Apus"]),
        executable("apus-interop-server", ["ApusInterop"]),
        executable("apus-interop-client", ["ApusInterop"]),

        .systemLibrary(name: "CMallocInfo", path: "Tests/CMallocInfo"),
        tests("ApusWireTests", ["ApusCore", "ApusWire"]),
        tests("ApusHTTP2Tests", ["ApusHTTP2", "ApusTestSupport"]),
        tests(
            "ApusTransportTests",
            [
                "ApusCore", "ApusHTTP2", "ApusInterceptors", "ApusTestSupport", "ApusTransport", "ApusWire",
                "CMallocInfo", "CNghttp2", "COpenSSL",
            ]),
        .target(
            name: "ApusTestSupport",
            dependencies: ["ApusCore", "ApusHTTP2"] + (sanitizesThreads ? ["CThreadSanitizerMutex"] : []),
            path: "Tests/ApusTestSupport", swiftSettings: strict),
        tests("ApusCoreTests", ["ApusCore", "ApusTestSupport"]),
        tests("ApusInterceptorsTests", ["ApusCore", "ApusInterceptors", "ApusTestSupport", "ApusTransport"]),
        tests("ApusDiscoveryTests", ["ApusCore", "ApusInterceptors", "ApusDiscovery", "ApusTestSupport"]),
        tests(
            "ApusChannelzTests",
            ["ApusChannelz", "ApusCore", "ApusInterceptors", "ApusProtobuf", "ApusTestSupport", "ApusTransport"]),
        tests(
            "ApusEtcdTests",
            ["ApusCore", "ApusDiscovery", "ApusEtcd", "ApusProtobuf", "ApusTestSupport", "ApusTransport"]),
        tests(
            "ApusTelemetryTests", ["ApusCore", "ApusInterceptors", "ApusTelemetry", "ApusTestSupport", "ApusTransport"]),
        tests(
            "ApusAdminTests",
            [
                "ApusAdmin", "ApusCore", "ApusInterceptors", "ApusServices", "ApusTelemetry", "ApusTestSupport",
                "ApusTransport",
            ]),
        tests(
            "ApusOTLPTests",
            [
                "ApusCore", "ApusInterceptors", "ApusOTLP", "ApusProtobuf", "ApusTelemetry", "ApusTestSupport",
                "ApusTransport",
            ]),
        tests("ApusJWTTests", ["ApusCore", "ApusInterceptors", "ApusJWT"]),
        tests("ApusProtobufTests", ["ApusCore", "ApusProtobuf", "ApusTestSupport"]),
        tests("ApusFoundationTests", ["ApusCore", "ApusFoundation", "ApusProtobuf"]),
        tests(
            "ApusServicesTests",
            [
                "ApusCore", "ApusDiscovery", "ApusInterceptors", "ApusProtobuf", "ApusServices", "ApusTestSupport",
                "ApusTransport",
            ]),
        tests("ApusInteropTests", ["Apus", "ApusInterop", "ApusTestSupport"]),
        tests("ApusPeerTests", ["Apus", "ApusChannelz", "ApusOTLP", "ApusTelemetry", "ApusTestSupport"]),
        tests("ApusTests", ["Apus", "ApusTestSupport"]),
        tests(
            "ApusFuzzTests", ["ApusCore", "ApusHTTP2", "ApusProtobuf", "ApusTransport", "ApusWire"],
            resources: [.copy("Corpora")], exclude: ["Harness"]),
        tests("ApusGeneratorTests", ["ApusCore", "ApusGenerator", "ApusProtobuf", "ApusTestSupport"]),
    ] + threadSanitizerMutex,
    swiftLanguageModes: [.v6]
)
