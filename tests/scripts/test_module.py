"""What is made from other files for the Terraform module is as those files are now."""

import json
from pathlib import Path

import pytest

from ion.settings import KEYS
from ionctl.build.module import MODULE, files
from ionctl.files import version

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["settings.json", "package.tf", "README.md"])
def test_file_is_current(name: str) -> None:
    made = files(MODULE)
    assert (MODULE / name).read_text(encoding="utf-8") == made[name], "run scripts/module"


def test_settings_are_the_keys_that_the_package_knows_and_no_secrets_or_names_of_aws() -> None:
    known = json.loads(files(MODULE)["settings.json"])
    assert known == {section: list(keys) for section, keys in KEYS.items()}
    assert "connections" in known["smtp"]
    assert "aws" not in known
    assert not {"password", "server", "oauth_client_secret"} & {
        k for ks in known.values() for k in ks
    }


def test_tables_have_each_variable_and_output_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "before\n<!-- variables, by scripts/module -->\nold\n<!-- end -->\nbetween\n"
        "<!-- outputs, by scripts/module -->\n<!-- end -->\nafter\n",
        encoding="utf-8",
    )
    (tmp_path / "package.tf").write_text('locals {\n  module_version = "0"\n}\n')
    (tmp_path / "a.tf").write_text(
        'variable "late" {\n  description = "In <another> file."\n  default = null\n}\n',
        encoding="utf-8",
    )
    (tmp_path / "variables.tf").write_text(
        """
variable "first" {
  description = <<-EOT
    Over two lines, "quoted",
    and `as <code>|*`; a | b*.
  EOT
  type        = map(string)
  default     = { a = "b" }
}

variable "needed" {
  description = "Says \\"what\\"."
  type        = string
}
""",
        encoding="utf-8",
    )
    (tmp_path / "outputs.tf").write_text(
        'output "arn" {\n  description = "ARN of it."\n  value = local.arn\n}\n', encoding="utf-8"
    )
    assert files(tmp_path)["README.md"] == (
        "before\n"
        "<!-- variables, by scripts/module -->\n"
        "| name | default | meaning |\n"
        "| --- | --- | --- |\n"
        '| `first` | `{"a": "b"}` | Over two lines, "quoted", and `as <code>|*`; a \\| b\\*. |\n'
        '| `needed` | (required) | Says "what". |\n'
        "| `late` | `null` | In \\<another> file. |\n"
        "<!-- end -->\n"
        "between\n"
        "<!-- outputs, by scripts/module -->\n"
        "| name | what it is |\n"
        "| --- | --- |\n"
        "| `arn` | ARN of it. |\n"
        "<!-- end -->\n"
        "after\n"
    )


def test_version_is_the_projects(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    (tmp_path / "package.tf").write_text('locals {\n  module_version = "0"\n}\n', encoding="utf-8")
    assert f'module_version = "{version()}"\n' in files(tmp_path)["package.tf"]
    assert f'"version": "{version()}"' in (ROOT / "docs/schema/asyncapi.json").read_text("utf-8")
