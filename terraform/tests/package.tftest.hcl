# Which package the function gets, and which are refused. tests/packages stands for real ones, most
# of them without a version, which goes up.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  package          = "tests/packages/right.zip"
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators"] # without, a check says so
}

run "a_file_with_its_manifest" {
  command = plan

  assert {
    condition = (
      aws_lambda_function.relay.filename == "tests/packages/right.zip" &&
      aws_lambda_function.relay.source_code_hash == filebase64sha256("tests/packages/right.zip") &&
      aws_lambda_function.relay.s3_bucket == null &&
      aws_lambda_function.relay.s3_key == null &&
      aws_lambda_function.relay.code_signing_config_arn == null
    )
    error_message = "The function must have the file, and nothing of S3."
  }

  assert {
    condition     = aws_lambda_function.relay.runtime == "python${local.package_python}"
    error_message = "The manifest is compared with another Python than the function's."
  }
}

run "one_in_s3" {
  command = plan

  variables {
    package = null
    package_s3 = {
      bucket         = "releases-example"
      key            = "ion/0.1.0/ion-arm64.zip"
      object_version = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"
      sha256_base64  = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
    code_signing_config_arn = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    load                    = { messages_per_minute = 60 }
  }

  assert {
    condition     = aws_lambda_function.relay.filename == null
    error_message = "The function must have no file beside an object."
  }

  assert {
    condition = {
      bucket  = aws_lambda_function.relay.s3_bucket
      key     = aws_lambda_function.relay.s3_key
      version = aws_lambda_function.relay.s3_object_version
      hash    = aws_lambda_function.relay.source_code_hash
      signing = aws_lambda_function.relay.code_signing_config_arn
      } == {
      bucket  = "releases-example"
      key     = "ion/0.1.0/ion-arm64.zip"
      version = "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY"
      hash    = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      signing = "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-0123456789abcdef0"
    }
    error_message = "The function must have what package_s3 names, noticed by its hash."
  }

  assert {
    condition = alltrue([
      for attribute in ["filename", "s3_bucket", "s3_key", "s3_object_version", "source_code_hash", "code_signing_config_arn"] :
      aws_lambda_function.load[0][attribute] == aws_lambda_function.relay[attribute]
    ])
    error_message = "The load publisher must have the relay's package."
  }
}

run "one_for_x86_64" {
  command = plan

  variables {
    package      = "tests/packages/ion-x86_64.zip"
    architecture = "x86_64"
  }

  assert {
    condition     = aws_lambda_function.relay.architectures == tolist(["x86_64"])
    error_message = "The function must have the package's processor."
  }
}

run "one_without_manifest_and_with_any_name" {
  command = plan

  variables {
    package      = "versions.tf"
    architecture = "x86_64"
  }
}

run "one_that_is_not_there" {
  command = plan

  variables {
    package = "tests/packages/no-such.zip"
  }

  expect_failures = [aws_lambda_function.relay]
}

run "one_for_another_processor_by_its_name" {
  command = plan

  variables {
    package = "tests/packages/ion-x86_64.zip"
  }

  expect_failures = [aws_lambda_function.relay]
}

run "one_for_another_processor_by_its_manifest" {
  command = plan

  variables {
    package = "tests/packages/for-x86_64-by-its-manifest.zip"
  }

  expect_failures = [aws_lambda_function.relay]
}

run "one_for_another_processor_in_s3" {
  command = plan

  variables {
    package = null
    package_s3 = {
      bucket        = "releases-example"
      key           = "ion/0.1.0/ion-x86_64.zip"
      sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
  }

  expect_failures = [aws_lambda_function.relay]
}

run "one_that_is_not_what_its_manifest_says" {
  command = plan

  variables {
    package = "tests/packages/other-than-its-manifest.zip"
  }

  expect_failures = [aws_lambda_function.relay]
}

run "one_for_another_python" {
  command = plan

  variables {
    package = "tests/packages/for-older-python.zip"
  }

  expect_failures = [aws_lambda_function.relay]
}

run "one_of_another_version_is_only_told" {
  command = plan

  variables {
    package = "tests/packages/of-older-version.zip"
  }

  expect_failures = [check.package_is_of_this_modules_version]
}

run "two_places_for_one_package" {
  command = plan

  variables {
    package_s3 = {
      bucket        = "releases-example"
      key           = "ion-arm64.zip"
      sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
  }

  expect_failures = [var.package]
}

run "a_hash_in_hexadecimal" {
  command = plan

  variables {
    package = null
    package_s3 = {
      bucket        = "releases-example"
      key           = "ion-arm64.zip"
      sha256_base64 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    }
  }

  expect_failures = [var.package_s3]
}

run "an_arn_in_the_place_of_a_bucket" {
  command = plan

  variables {
    package = null
    package_s3 = {
      bucket        = "arn:aws:s3:::releases-example"
      key           = "ion-arm64.zip"
      sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
  }

  expect_failures = [var.package_s3]
}

run "no_key" {
  command = plan

  variables {
    package = null
    package_s3 = {
      bucket        = "releases-example"
      key           = ""
      sha256_base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    }
  }

  expect_failures = [var.package_s3]
}

run "a_code_signing_config_by_its_id" {
  command = plan

  variables {
    code_signing_config_arn = "csc-0123456789abcdef0"
  }

  expect_failures = [var.code_signing_config_arn]
}
