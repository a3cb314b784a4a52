// SPDX-License-Identifier: Apache-2.0

extension ProtobufFieldMask: ExpressibleByArrayLiteral {
    /// `["user.display_name", "photo"]`
    public init(arrayLiteral elements: String...) { self.init(paths: elements) }

    /// Whether every path names a field of the message, through messages that are not repeated.
    public func isValid<M: ProtobufMessage>(for _: M.Type) -> Bool {
        paths.allSatisfy { path in
            var schema: MessageSchema? = M.schema
            for name in path.split(separator: ".", omittingEmptySubsequences: false) {
                guard let field = schema?.field(named: String(name)) else { return false }
                schema = field.isSingular ? field.type.schema : nil
            }
            return true
        }
    }
}

extension FieldSchema {
    fileprivate var isSingular: Bool {
        switch shape {
        case .repeated, .packed, .map: false
        case .implicit, .optional, .required, .oneof: true
        }
    }
}
