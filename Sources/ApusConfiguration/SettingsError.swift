// SPDX-License-Identifier: Apache-2.0

#if Configuration
    /// Values that cannot be taken: all that are wrong in what was read, not the first alone.
    public struct SettingsError: Error, Hashable, CustomStringConvertible {
        /// One value that is wrong.
        public struct Problem: Error, Hashable, CustomStringConvertible {
            /// The setting's key.
            public let key: String
            /// The value in quotes; `<redacted>` for a secret, `none` for one that is missing.
            public let value: String
            /// Who says so: the environment's variable, a flag, a file.
            public let origin: String
            /// What would be right.
            public let expected: String

            /// One line.
            public var description: String { "\(key) is \(value) (\(origin)), but has to be \(expected)" }
        }

        /// What is wrong, at least one thing.
        public let problems: [Problem]

        /// One line for each problem.
        public var description: String { problems.map(\.description).joined(separator: "\n") }

        init(problems: [Problem]) { self.problems = problems }

        init(_ key: String, is value: String = "none", from origin: String = "default", not expected: String) {
            problems = [Problem(key: key, value: value, origin: origin, expected: expected)]
        }
    }
#endif
