// SPDX-License-Identifier: Apache-2.0

#if Configuration
    /// One row of the table of settings: what a key means, and what may stand under it.
    public struct Setting: Sendable, Hashable {
        /// The key: words in camelCase, joined by dots, as swift-configuration has them.
        public let key: String
        /// What a value has to be, with its unit and limits.
        public let expected: String
        /// Some that would do; nil where that is plain.
        public let examples: String?
        /// What holds when nobody says anything, written as a value would be; `none` for nothing.
        public let defaultValue: String
        /// What it is for.
        public let meaning: String
        /// Whether its value is shown to nobody.
        public let isSecret: Bool

        /// Every setting there is, group by group.
        public static let all: [Setting] = SettingGroup.all.flatMap(\.settings)

        /// The whole table in Markdown, as the documentation has it.
        public static var markdown: String {
            let rows = all.map { "| `\($0.key)` | \($0.expected) | `\($0.defaultValue)` | \($0.meaning) |" }
            return (["| key | value | default | meaning |", "|---|---|---|---|"] + rows).joined(separator: "\n") + "\n"
        }
    }
#endif
