printf '\033[32m%s, %s!\033[0m\n' "$GREETING" "$NAME"
echo "key=$API_KEY"
cat made-by-setup
