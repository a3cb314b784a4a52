// SPDX-License-Identifier: Apache-2.0

import Apus
import Foundation
import ParrotSupport
import Schemas

enum Fixtures {
    /// The project's folder of .proto files.
    static var protos: String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../proto").standardized.path
    }

    /// What the generated code says of the parrot's file: without comments.
    static func descriptors(of service: any Service) throws -> ProtobufFileDescriptorSet {
        var text = service.descriptor?.fileDescriptorSet ?? ""
        // Generated code leaves the padding out.
        text += String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return try ProtobufFileDescriptorSet(serialized: [UInt8](Data(base64Encoded: text) ?? Data()))
    }

    static func parrot() throws -> Schema { try Schema(descriptors(of: ParrotService())) }
}
