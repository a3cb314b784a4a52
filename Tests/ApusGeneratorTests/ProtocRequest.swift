// SPDX-License-Identifier: Apache-2.0

import ApusProtobuf
import ApusTestSupport
import Foundation

@testable import ApusGenerator

/// Requests as protoc makes them: it parses .proto files and describes them, the generator answers in-process.
enum ProtocRequest {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The response for files below `folder`.
    static func respond(
        _ files: [String], in folder: URL = root.appending(path: "proto"), options: String = ""
    ) throws -> CodeGeneratorResponse {
        var request = CodeGeneratorRequest()
        request.fileToGenerate = files
        request.parameter = options
        request.protoFile = try describe(files, in: folder)
        return try CodeGeneratorResponse(serialized: CompilerPlugin.respond(to: request.serializedBytes()))
    }

    /// The response for one file with this text.
    static func respond(toText text: String, options: String = "") throws -> CodeGeneratorResponse {
        try withFolder { folder in
            try Data(text.utf8).write(to: folder.appending(path: "file.proto"))
            return try respond(["file.proto"], in: folder, options: options)
        }
    }

    /// The response for files with these texts.
    static func respond(files: [String: String], options: String = "") throws -> CodeGeneratorResponse {
        try withFolder { folder in
            for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
            return try respond(files.keys.sorted(), in: folder, options: options)
        }
    }

    private static func describe(_ files: [String], in folder: URL) throws -> [FileDescriptorProto] {
        try withFolder { scratch in
            let output = scratch.appending(path: "set")
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments =
                [
                    "protoc", "-I", folder.path, "--include_imports", "--include_source_info",
                    "--descriptor_set_out=\(output.path)",
                ] + files
            try process.run()
            let status = process.waitForEnd()
            guard status != 127 else {
                throw Failed(description: "protoc is missing: install it with 'apt-get install protobuf-compiler'")
            }
            guard status == 0 else { throw Failed(description: "protoc refuses \(files)") }
            return try FileDescriptorSet(serialized: [UInt8](Data(contentsOf: output))).file
        }
    }

    private static func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}
