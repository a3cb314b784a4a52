// SPDX-License-Identifier: Apache-2.0

/// What a .proto file's edition, and the `features` options around a declaration, say of it. proto2 and proto3 are
/// editions like others here, so that nothing else has to know them.
///
/// Two features change nothing: `utf8_validation`, because a Swift string is always UTF-8, and `json_format`, which
/// is protoc's own concern.
/// Source: protobuf *Feature Settings for Editions*.
package struct EditionFeatures: Sendable, Equatable {
    private var presence = ProtobufFeatureSet.FieldPresence.explicit
    private var enumType = ProtobufFeatureSet.EnumType.open
    private var repeatedEncoding = ProtobufFeatureSet.RepeatedFieldEncoding.packed
    private var messageEncoding = ProtobufFeatureSet.MessageEncoding.lengthPrefixed

    /// What edition 2023 says of a file without options.
    package init() {}

    /// What a file says; nil for an edition that is not known.
    ///
    /// - Parameter edition: its number; counts where the syntax is "editions".
    package init?(syntax: String, edition: Int32, options: ProtobufFeatureSet?) {
        switch syntax {
        case "", "proto2": (enumType, repeatedEncoding) = (.closed, .expanded)
        case "proto3": presence = .implicit
        case "editions": guard edition == ProtobufEdition.edition2023.rawValue else { return nil }
        default: return nil
        }
        self = refined(by: options)
    }

    /// What holds inside of these, where options may say otherwise.
    package func refined(by options: ProtobufFeatureSet?) -> EditionFeatures {
        guard let options else { return self }
        var features = self
        features.presence = options.fieldPresence ?? presence
        features.enumType = options.enumType ?? enumType
        features.repeatedEncoding = options.repeatedFieldEncoding ?? repeatedEncoding
        features.messageEncoding = options.messageEncoding ?? messageEncoding
        return features
    }

    /// Whether the absence of a scalar can be told from its default.
    package var hasPresence: Bool { presence != .implicit }

    /// Whether a message without the field is refused.
    package var isRequired: Bool { presence == .legacyRequired }

    /// Whether a number without a name is no value of the enum.
    package var isClosed: Bool { enumType == .closed }

    /// Whether a list of numbers is written as one run of bytes.
    package var isPacked: Bool { repeatedEncoding == .packed }

    /// Whether a message stands between tags, as groups of proto2 do, and not behind its length.
    package var isDelimited: Bool { messageEncoding == .delimited }
}
