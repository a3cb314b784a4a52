// SPDX-License-Identifier: Apache-2.0

public import Apus
import Foundation

/// The protobuf compiler, as a process: of the environment's `PROTOC_PATH`, or on the `PATH`.
public struct Protoc: Sendable {
    /// Its file.
    public let path: String

    /// Looks for the compiler.
    ///
    /// - Throws: FAILED_PRECONDITION with how to install it.
    public init(in environment: [String: String]) throws(RPCError) {
        if let path = environment["PROTOC_PATH"] {
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw RPCError(.failedPrecondition, "PROTOC_PATH names \(path), which is no program")
            }
            self.path = path
            return
        }
        guard let path = Self.find("protoc", in: environment) else {
            throw RPCError(
                .failedPrecondition,
                "protoc is not installed: get it with 'apt-get install protobuf-compiler' or 'brew install protobuf',"
                    + " or name it in PROTOC_PATH")
        }
        self.path = path
    }

    /// A program of the `PATH`.
    public static func find(_ program: String, in environment: [String: String]) -> String? {
        let folders = environment["PATH"]?.split(separator: ":") ?? []
        return folders.lazy.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The flags for folders with imports; without any, the folder of each file is one.
    public static func includes(_ imports: [String], of files: [String]) -> [String] {
        guard imports.isEmpty else { return imports.map { "--proto_path=\($0)" } }
        var folders: [String] = []
        for file in files {
            let folder = file.contains("/") ? file.replacing(/\/[^\/]*$/, with: "") : "."
            if !folders.contains(folder) { folders.append(folder.isEmpty ? "/" : folder) }
        }
        return folders.map { "--proto_path=\($0)" }
    }

    /// Runs the compiler to its end.
    ///
    /// - Throws: INVALID_ARGUMENT with its first complaint.
    public func run(_ arguments: [String]) throws(RPCError) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw RPCError(.failedPrecondition, "\(path) cannot be run: \(error.localizedDescription)")
        }
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let status = process.waitForEnd()
        guard status == 0 else {
            let first = complaints.split(separator: "\n").first { !$0.contains("warning:") }
            throw RPCError(.invalidArgument, "protoc: \(first ?? "status \(status)")")
        }
    }
}
