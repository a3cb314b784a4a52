// SPDX-License-Identifier: Apache-2.0

public import Apus
import Foundation

extension Schema {
    /// What a file says that `protoc --include_imports --descriptor_set_out` has written.
    ///
    /// - Throws: NOT_FOUND for a file that cannot be read, INVALID_ARGUMENT for one that is no descriptor set.
    public init(descriptorSet path: String) throws(RPCError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw RPCError(.notFound, "the descriptor set \(path) cannot be read")
        }
        let set: ProtobufFileDescriptorSet
        do throws(RPCError) {
            set = try ProtobufFileDescriptorSet(serialized: [UInt8](data))
        } catch {
            throw RPCError(
                .invalidArgument,
                "\(path) is no descriptor set: write one with 'protoc --include_imports"
                    + " --descriptor_set_out=\(path) FILES'")
        }
        try self.init(set)
    }

    /// What .proto files say.
    ///
    /// - Parameters:
    ///   - files: the files.
    ///   - imports: the folders in which imports are looked for; the files' own when there are none.
    /// - Throws: FAILED_PRECONDITION without protoc, INVALID_ARGUMENT with what protoc says about the files.
    public init(proto files: [String], imports: [String]) throws(RPCError) {
        let compiler = try Protoc(in: ProcessInfo.processInfo.environment)
        let path = FileManager.default.temporaryDirectory.appending(path: "apus-\(UUID().uuidString).pb").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try compiler.run(
            Protoc.includes(imports, of: files)
                + ["--include_imports", "--include_source_info", "--descriptor_set_out=\(path)"] + files)
        try self.init(descriptorSet: path)
    }
}
