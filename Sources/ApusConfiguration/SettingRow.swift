// SPDX-License-Identifier: Apache-2.0

#if Configuration
    /// Options that settings make: the rows are the table and the code that obeys it.
    protocol ConfiguredOptions: Sendable {
        static var defaults: Self { get }
        static var rows: [SettingRow<Self>] { get }
    }

    /// A setting and where its value goes.
    struct SettingRow<Options: ConfiguredOptions>: Sendable {
        let setting: Setting
        // nil: the text is not what is expected; else the value as it is shown.
        private let apply: @Sendable (String, inout Options) -> String?

        init<Value: Sendable>(
            _ key: String, _ path: any WritableKeyPath<Options, Value> & Sendable, _ form: SettingForm<Value>,
            isSecret: Bool = false, _ meaning: String
        ) {
            setting = Setting(
                key: key, expected: form.expected, examples: form.examples,
                defaultValue: form.write(Options.defaults[keyPath: path]),
                meaning: meaning, isSecret: isSecret)
            apply = { text, options in
                guard let value = form.read(text) else { return nil }
                options[keyPath: path] = value
                return form.write(value)
            }
        }

        /// Takes over what the source says, if it says anything.
        ///
        /// - Returns: where it was said; nil for nowhere.
        func read(_ source: Settings, into options: inout Options) throws(SettingsError.Problem) -> String? {
            guard let found = source.find(setting) else { return nil }
            guard apply(found.text, &options) != nil else { throw problem(found) }
            return found.origin
        }

        func inForce(_ source: Settings) -> SettingInForce {
            guard let found = source.find(setting) else {
                return SettingInForce(key: setting.key, value: setting.defaultValue, origin: "default")
            }
            var options = Options.defaults
            let value = apply(found.text, &options)
            let shown = found.isSecret || setting.isSecret ? "<redacted>" : (value ?? Settings.quoted(found.text))
            let origin = value == nil ? "\(found.origin), WRONG: not \(setting.expected)" : found.origin
            return SettingInForce(key: setting.key, value: shown, origin: origin)
        }

        private func problem(_ found: SettingFound) -> SettingsError.Problem {
            let isSecret = found.isSecret || setting.isSecret
            return SettingsError.Problem(
                key: setting.key, value: isSecret ? "<redacted>" : Settings.quoted(found.text), origin: found.origin,
                expected: setting.expected + (setting.examples.map { ", such as \($0)" } ?? ""))
        }
    }

    extension ConfiguredOptions {
        /// The options that a source asks for, and the keys that it has a word about.
        static func read(_ source: Settings) throws(SettingsError) -> (options: Self, said: [String: String]) {
            var (options, said) = (defaults, [String: String]())
            var problems: [SettingsError.Problem] = []
            for row in rows {
                do throws(SettingsError.Problem) {
                    if let origin = try row.read(source, into: &options) { said[row.setting.key] = origin }
                } catch {
                    problems.append(error)
                }
            }
            guard problems.isEmpty else { throw SettingsError(problems: problems) }
            return (options, said)
        }
    }
#endif
