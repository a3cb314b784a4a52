// SPDX-License-Identifier: Apache-2.0

/// The names that swift-protobuf gives messages: `Users_V1_User` for `users.v1.User`, or with the file's prefix.
/// Source: swift-protobuf, *Generated Code*.
enum SwiftProtobufName {
    /// - Parameter name: a full name with a leading dot.
    static func message(_ name: String, _ index: TypeIndex) -> String {
        guard let entry = index[name] else { return name }
        let types = name.dropFirst(entry.package.isEmpty ? 1 : entry.package.count + 2)
        return prefix(entry)
            + types.split(separator: ".").map { SwiftName.upperFirst(String($0)) }.joined(separator: ".")
    }

    private static func prefix(_ entry: TypeIndex.Entry) -> String {
        if let prefix = entry.prefix { return prefix }
        guard !entry.package.isEmpty else { return "" }
        let words = entry.package.split(separator: ".").map { part in
            part.split(separator: "_").map { SwiftName.upperFirst(String($0)) }.joined()
        }
        return words.joined(separator: "_") + "_"
    }
}
