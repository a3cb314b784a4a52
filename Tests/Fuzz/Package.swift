// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// libFuzzer brings its own main and, like AddressSanitizer, wants to see all code: hence flags for the whole build and
// a package apart.
let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "apus", path: "../..")],
    targets: [
        .executableTarget(
            name: "fuzz-messages", dependencies: [.product(name: "ApusProtobuf", package: "apus")],
            swiftSettings: [.unsafeFlags(["-parse-as-library", "-sanitize=fuzzer,address"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
    ],
    swiftLanguageModes: [.v6]
)
