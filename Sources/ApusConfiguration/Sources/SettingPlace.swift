// SPDX-License-Identifier: Apache-2.0

#if Configuration
    /// One source of settings.
    protocol SettingPlace: Sendable {
        /// What it says about a key; nil for nothing.
        func find(_ key: [String], isSecret: Bool) -> SettingFound?
        /// The keys in a scope that mean nothing; none where they cannot be listed.
        func unknown(in scope: [String]) -> [String]
    }

    extension SettingPlace {
        func unknown(in scope: [String]) -> [String] { [] }
    }

    /// What was said about a key. Sources have types; settings are read from text alone, so that every source may say
    /// `8080` or `"8080"`.
    struct SettingFound: Sendable {
        let text: String
        let isSecret: Bool
        let origin: String
    }
#endif
