// SPDX-License-Identifier: Apache-2.0

import ApusTestSupport
import Foundation

/// Google's own implementation as a peer: `protoc --encode` and `--decode` between binary and text format.
enum ProtocOracle {
    struct Missing: Error, CustomStringConvertible {
        var description = "these tests compare with protoc: install it with 'apt-get install protobuf-compiler'"
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The system's protoc, or for editions, which that of Debian does not know, the one of grpcio-tools.
    private static func program(for file: String) throws -> [String] {
        guard file.hasPrefix("test/editions") else { return ["protoc"] }
        let python = root.appending(path: ".peers/bin/python").path
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw Missing(description: "there is no \(python): install it with 'make peers' (in the project's folder)")
        }
        return [python, "-m", "grpc_tools.protoc"]
    }

    /// The file that declares the type of an action like `--encode=test.legacy.Groups`.
    private static func file(of action: String) -> String {
        if action.contains("=test.legacy.") { return "test/legacy.proto" }
        if action.contains("=test.editions.Old") { return "test/editions_old.proto" }
        return action.contains("=test.editions.") ? "test/editions.proto" : "test/everything.proto"
    }

    /// The bytes of the message that the text describes.
    static func encode(_ type: String, _ text: String) throws -> [UInt8] {
        let (status, output, errors) = try run("--encode=\(type)", Array(text.utf8))
        guard status == 0 else { throw Refused(description: "protoc does not take the text: \(errors)") }
        return output
    }

    /// The message in text format; nil if protoc refuses the bytes.
    static func decode(_ type: String, _ bytes: [UInt8]) throws -> String? {
        let (status, output, _) = try run("--decode=\(type)", bytes)
        return status == 0 ? String(decoding: output, as: UTF8.self) : nil
    }

    /// The serialized `google.protobuf.FileDescriptorSet` of a file and all that it imports.
    static func describe(_ file: String) throws -> [UInt8] {
        let (status, output, errors) = try run("--descriptor_set_out=/dev/stdout", [], file, ["--include_imports"])
        guard status == 0 else { throw Refused(description: "protoc does not take \(file): \(errors)") }
        return output
    }

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    private static func run(
        _ action: String, _ input: [UInt8], _ file: String? = nil, _ options: [String] = []
    ) throws -> (Int32, [UInt8], String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["in", "out", "err"].map { folder.appending(path: $0) }
        try Data(input).write(to: files[0])
        for file in files.dropFirst() { try Data().write(to: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let file = file ?? Self.file(of: action)
        process.arguments =
            try program(for: file) + ["-I", root.appending(path: "proto").path, action] + options + [file]
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        process.standardError = try FileHandle(forWritingTo: files[2])
        try process.run()
        let status = process.waitForEnd()
        // The status of `env` when there is no such program.
        guard status != 127 else { throw Missing() }
        let errors = String(decoding: try Data(contentsOf: files[2]), as: UTF8.self)
        return (status, [UInt8](try Data(contentsOf: files[1])), errors)
    }
}
