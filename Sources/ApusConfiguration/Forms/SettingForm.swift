// SPDX-License-Identifier: Apache-2.0

#if Configuration
    import ApusCore

    /// How a value is written, and what is refused.
    struct SettingForm<Value: Sendable>: Sendable {
        let expected: String
        var examples: String?
        let read: @Sendable (String) -> Value?
        let write: @Sendable (Value) -> String

        /// The same or `none`.
        var optional: SettingForm<Value?> {
            let (read, write) = (read, write)
            return SettingForm<Value?>(expected: "\(expected), or none", examples: examples) { text in
                text == "none" ? .some(nil) : read(text).map { .some($0) }
            } write: { value in
                value.map(write) ?? "none"
            }
        }

        /// Several with commas in between.
        var list: SettingForm<[Value]> {
            let (read, write) = (read, write)
            return SettingForm<[Value]>(expected: "a list with commas, of each \(expected)", examples: examples) {
                text in
                let parts = text == "none" ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
                let values = parts.compactMap { read(String($0)) }
                return values.count == parts.count ? values : nil
            } write: { values in
                values.isEmpty ? "none" : values.map(write).joined(separator: ",")
            }
        }

        /// One of several words.
        static func choice(_ words: KeyValuePairs<String, Value>) -> SettingForm where Value: Equatable {
            let pairs = words.map { (word: $0.key, value: $0.value) }
            return SettingForm(expected: pairs.map(\.word).joined(separator: " or ")) { text in
                pairs.first { $0.word == text }?.value
            } write: { value in
                pairs.first { $0.value == value }?.word ?? "\(value)"
            }
        }
    }

    extension SettingForm<Bool> {
        static let flag = SettingForm(expected: "true or false") { text in
            switch text.lowercased() {
            case "true", "yes", "1": true
            case "false", "no", "0": false
            default: nil
            }
        } write: { value in
            "\(value)"
        }
    }

    extension SettingForm<String> {
        static let path = text("the path of a file") { !$0.isEmpty && !$0.utf8.contains(0) }

        static func text(_ expected: String, _ isFine: @escaping @Sendable (String) -> Bool) -> SettingForm {
            SettingForm(expected: expected) { text in
                let value = text == "none" && isFine("") ? "" : text
                return isFine(value) ? value : nil
            } write: { value in
                value.isEmpty ? "none" : value
            }
        }
    }

    extension SettingForm<Endpoint.Address> {
        static let address = SettingForm(
            expected: "an address", examples: "127.0.0.1:50051, [::]:50051 or unix:/run/x.sock",
            read: { Endpoint.Address($0) }, write: { "\($0)" })
    }
#endif
