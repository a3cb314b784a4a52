// SPDX-License-Identifier: Apache-2.0

#if Configuration
    public import Apus

    /// The figures of the default policies, as settings write them.
    struct StackSettings: ConfiguredOptions {
        var timeout = DefaultStack().timeout
        var attempts = 4

        static var defaults: Self { Self() }

        static let rows: [SettingRow<Self>] = [
            SettingRow(
                "client.timeout", \.timeout, SettingForm.duration(from: .milliseconds(1)).optional,
                "The time for all tries of a call."),
            SettingRow(
                "client.maximumAttempts", \.attempts, .count(1...5),
                "Tries of a call, the first among them, that finds nobody."),
        ]
    }

    extension DefaultStack {
        /// The default stack with what `client.timeout` and `client.maximumAttempts` ask for.
        ///
        /// - Throws: for every value that is wrong.
        public init(configuration: Settings) throws(SettingsError) {
            let options = try StackSettings.read(configuration).options
            self.init()
            timeout = options.timeout
            tries = Retry(.exponential(maxAttempts: options.attempts), budget: RetryBudget())
        }
    }
#endif
