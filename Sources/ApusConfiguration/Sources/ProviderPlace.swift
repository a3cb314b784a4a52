// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import Configuration

    /// A provider whose name is known.
    struct ProviderPlace: SettingPlace {
        private let provider: any ConfigProvider
        private let label: String
        private let keys: ListedKeys?

        /// - Parameters:
        ///   - label: what people call it; nil takes the provider's own name.
        ///   - keys: what is in it, where that is known.
        init(_ provider: any ConfigProvider, label: String? = nil, keys: ListedKeys? = nil) {
            self.provider = provider
            self.label = label ?? provider.providerName
            self.keys = keys
        }

        func find(_ key: [String], isSecret: Bool) -> SettingFound? {
            let key = AbsoluteConfigKey(key)
            for type in ConfigType.readable {
                // A value of another type is an error, and is found by that type.
                guard let result = try? provider.value(forKey: key, type: type), let value = result.value,
                    let text = value.content.text
                else { continue }
                // As in shells and manifests: a variable that is empty is none.
                guard !text.isEmpty else { return nil }
                return SettingFound(
                    text: text, isSecret: isSecret || value.isSecret, origin: "\(label) \(result.encodedKey)")
            }
            return nil
        }

        func unknown(in scope: [String]) -> [String] { keys?.unknown(in: scope).map { "\($0) (\(label))" } ?? [] }
    }

    /// A reader, which asks its providers and does not tell which.
    struct ReaderPlace: SettingPlace {
        let reader: ConfigReader

        func find(_ key: [String], isSecret: Bool) -> SettingFound? {
            let (key, origin) = (ConfigKey(key), "configuration \(key.joined(separator: "."))")
            guard let text = text(key, isSecret), !text.isEmpty else { return nil }
            return SettingFound(text: text, isSecret: isSecret, origin: origin)
        }

        private func text(_ key: ConfigKey, _ isSecret: Bool) -> String? {
            // A value of another type counts as none.
            if let text = reader.string(forKey: key, isSecret: isSecret) { return text }
            if let number = reader.int(forKey: key, isSecret: isSecret) { return "\(number)" }
            if let number = reader.double(forKey: key, isSecret: isSecret) { return "\(number)" }
            if let flag = reader.bool(forKey: key, isSecret: isSecret) { return "\(flag)" }
            return reader.stringArray(forKey: key, isSecret: isSecret)?.joined(separator: ",")
        }
    }

    extension ConfigType {
        // Text first: it says the most. What is a number in a file is a flag in its eyes, too: that comes late.
        static let readable: [ConfigType] = [.string, .int, .double, .bool, .stringArray]
    }

    extension ConfigContent {
        /// The value as it would be written; nil for bytes.
        var text: String? {
            switch self {
            case .string(let text): text
            case .int(let number): "\(number)"
            case .double(let number): "\(number)"
            case .bool(let flag): "\(flag)"
            case .stringArray(let texts): texts.joined(separator: ",")
            default: nil
            }
        }
    }
#endif
